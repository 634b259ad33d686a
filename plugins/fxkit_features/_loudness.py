"""The extractor behind `loudness`."""

from __future__ import annotations

from typing import TYPE_CHECKING

import attrs
import torch

from fxkit_signal.loudness import loudness

if TYPE_CHECKING:
    from fxkit_features.loudness import Loudness


@attrs.frozen
class LoudnessExtractor:
    """Extract the level in dB."""

    spec: Loudness
    sample_rate: int
    hop: int

    def __call__(self, audio: torch.Tensor) -> torch.Tensor:
        """Map audio [channels, samples] to [1, samples // hop + 1]."""
        spec = self.spec
        return loudness(audio.mean(0), self.sample_rate, self.hop, window=spec.window, floor=spec.floor)[None]
