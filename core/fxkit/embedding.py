"""Turn recordings into sets of vectors by an embedding."""

from __future__ import annotations

from collections.abc import Iterable

import torch

from fxkit.protocols import Embedding

_BATCH = 16


def windows(audio: torch.Tensor, embedding: Embedding) -> torch.Tensor:
    """Cut audio [channels, samples] into windows [windows, channels, embedding.samples].

    What is left at the end and fills no window is left out; a recording shorter than one window is
    filled up with silence.
    """
    short = embedding.samples - audio.shape[-1]
    padded = torch.nn.functional.pad(audio, (0, max(0, short)))
    return padded.unfold(-1, embedding.samples, embedding.hop).movedim(-2, 0)


@torch.no_grad()
def embedded(recordings: Iterable[torch.Tensor], embedding: Embedding) -> torch.Tensor:
    """Return the vectors [windows, dims], float64, of all windows of recordings [channels, samples]."""
    vectors = [
        embedding(part).double().cpu()
        for audio in recordings
        for part in windows(audio, embedding).split(_BATCH)
    ]
    return torch.cat(vectors)
