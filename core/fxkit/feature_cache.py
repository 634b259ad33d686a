"""Keep extracted features by content: the audio, the extractor's spec and version, rate and hop."""

from __future__ import annotations

import hashlib
import zipfile
from collections.abc import Mapping
from pathlib import Path

import attrs
import numpy as np
import torch

from fxkit.cache_folder import cache_folder
from fxkit.context import BuildContext
from fxkit.experiment.model import Part
from fxkit.files import write_atomically
from fxkit.model.assembly import build_part
from fxkit.protocols import Feature
from fxkit.values import Recording


@attrs.define
class FeatureCache:
    """Extract features of recordings, or read them where they were extracted before.

    `extracted` counts the series that had to be computed; `damaged` names unreadable cache files,
    which are extracted anew and replaced.
    """

    parts: Mapping[str, Part]
    ctx: BuildContext
    folder: Path = attrs.field(factory=cache_folder)
    extracted: int = 0
    damaged: list[Path] = attrs.field(factory=list)
    _extractors: dict[str, Feature] = attrs.field(factory=dict)

    def series(self, recording: Recording) -> dict[str, torch.Tensor]:
        """Return feature name -> [dims, frames] of the recording's target."""
        return {name: self._one(name, part, recording) for name, part in self.parts.items()}

    def _one(self, name: str, part: Part, recording: Recording) -> torch.Tensor:
        path = self.folder / "features" / f"{self._key(part, recording)}.npz"
        kept = self._read(path)
        if kept is None:
            kept = self.extract(name, recording.target)
            self.extracted += 1
            values = kept.numpy()
            write_atomically(path, lambda stream: np.savez(stream, values=values))
        return kept

    def extract(self, name: str, audio: torch.Tensor) -> torch.Tensor:
        """Run one extractor on audio [channels, samples], without the cache."""
        if name not in self._extractors:
            self._extractors[name] = build_part(self.parts[name], self.ctx)
        with torch.no_grad():
            return self._extractors[name](audio).float().cpu()

    def _read(self, path: Path) -> torch.Tensor | None:
        if not path.exists():
            return None
        try:
            with np.load(path, allow_pickle=False) as stored:
                return torch.from_numpy(stored["values"])
        except (OSError, ValueError, KeyError, EOFError, zipfile.BadZipFile):
            self.damaged.append(path)
            return None

    def _key(self, part: Part, recording: Recording) -> str:
        samples = hashlib.sha256(recording.target.contiguous().numpy().data).hexdigest()
        facts = (samples, part.plugin, part.version, repr(part.spec), self.ctx.sample_rate, self.ctx.hop)
        return hashlib.sha256(repr(facts).encode()).hexdigest()
