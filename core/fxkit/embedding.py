"""Turn recordings into sets of vectors by an embedding, and keep the vectors of those that stay."""

from __future__ import annotations

import hashlib
from collections.abc import Iterable, Sequence
from pathlib import Path

import attrs
import numpy as np
import torch

from fxkit.cache_folder import cache_folder
from fxkit.files import write_atomically
from fxkit.protocols import Embedding

_BATCH = 16


def windows(audio: torch.Tensor, embedding: Embedding, hop: int | None = None) -> torch.Tensor:
    """Cut audio [channels, samples] into windows [windows, channels, embedding.samples].

    They start `hop` samples apart, by default the embedding's own. What is left at the end and fills no
    window is left out; a recording shorter than one window is filled up with silence, or by itself where the
    embedding `repeats`.
    """
    short = embedding.samples - audio.shape[-1]
    if short > 0 and getattr(embedding, "repeats", False):
        audio = audio.repeat(1, embedding.samples // max(1, audio.shape[-1]))
        short = embedding.samples - audio.shape[-1]
    padded = torch.nn.functional.pad(audio, (0, max(0, short)))
    return padded.unfold(-1, embedding.samples, hop or embedding.hop).movedim(-2, 0)


def count_windows(recordings: Iterable[torch.Tensor], embedding: Embedding, hop: int) -> int:
    """Return how many windows, `hop` samples apart, recordings have together."""
    beyond = (max(0, audio.shape[-1] - embedding.samples) for audio in recordings)
    return sum(1 + samples // hop for samples in beyond)


def embedded(
    recordings: Iterable[torch.Tensor], embedding: Embedding, hop: int | None = None
) -> torch.Tensor:
    """Return the vectors [windows, dims], float64, of all windows of recordings [channels, samples].

    Raises `ValueError` for what is no recording, and for an embedding that does not give one finite vector
    per window.
    """
    return torch.cat([_vectors(_checked(audio), embedding, hop) for audio in recordings])


@torch.no_grad()
def _vectors(audio: torch.Tensor, embedding: Embedding, hop: int | None) -> torch.Tensor:
    cut = windows(audio, embedding, hop)
    vectors = torch.cat([embedding(part).double().cpu() for part in cut.split(_BATCH)])
    if vectors.ndim != 2 or len(vectors) != len(cut):
        raise ValueError(
            f"{embedding.provenance}: gave {tuple(vectors.shape)} for {len(cut)} windows, not [windows, dims]"
        )
    if not bool(vectors.isfinite().all()):
        raise ValueError(f"{embedding.provenance}: gave vectors that are not finite")
    return vectors


def _checked(audio: torch.Tensor) -> torch.Tensor:
    if audio.ndim != 2 or 0 in audio.shape:
        raise ValueError(f"a recording of shape {tuple(audio.shape)}; it has to be [channels, samples]")
    if not bool(audio.isfinite().all()):
        raise ValueError("a recording holds samples that are not finite")
    return audio


@attrs.frozen(kw_only=True)
class VectorCache:
    """Keep the vectors of recordings by content: the samples, the embedding's provenance, the windows."""

    folder: Path = attrs.field(factory=lambda: cache_folder() / "vectors")

    def embedded(
        self, recordings: Sequence[torch.Tensor], embedding: Embedding, hop: int | None = None
    ) -> torch.Tensor:
        """Return what `fxkit.embedding.embedded` does, from before where that was asked for."""
        return torch.cat([self._one(audio, embedding, hop or embedding.hop) for audio in recordings])

    def _one(self, audio: torch.Tensor, embedding: Embedding, hop: int) -> torch.Tensor:
        path = self.folder / f"{_key(audio, embedding, hop)}.npy"
        kept = _read(path)
        if kept is None:
            kept = embedded([audio], embedding, hop)
            values = kept.numpy()
            write_atomically(path, lambda stream: np.save(stream, values, allow_pickle=False))
        return kept


def _key(audio: torch.Tensor, embedding: Embedding, hop: int) -> str:
    samples = hashlib.sha256(audio.detach().cpu().contiguous().numpy().data).hexdigest()
    facts = (samples, tuple(audio.shape), embedding.provenance, embedding.samples, hop)
    return hashlib.sha256(repr(facts).encode()).hexdigest()


def _read(path: Path) -> torch.Tensor | None:
    """Return kept vectors; None where there are none, or a file that is damaged and will be replaced."""
    try:
        return torch.from_numpy(np.load(path, allow_pickle=False))
    except (OSError, ValueError, EOFError):
        return None
