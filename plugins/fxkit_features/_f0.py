"""The extractor behind `f0`."""

from __future__ import annotations

from typing import TYPE_CHECKING

import attrs
import torch

from fxkit_signal.pitch import track_pitch

if TYPE_CHECKING:
    from fxkit_features.f0 import F0


@attrs.frozen
class F0Extractor:
    """Extract f0 in Hz and confidence."""

    spec: F0
    sample_rate: int
    hop: int

    def __call__(self, audio: torch.Tensor) -> torch.Tensor:
        """Map audio [channels, samples] to [2, samples // hop + 1]."""
        spec = self.spec
        track = track_pitch(
            audio.mean(0),
            self.sample_rate,
            self.hop,
            floor=spec.floor,
            ceiling=spec.ceiling,
            threshold=spec.threshold,
            silence=spec.silence,
        )
        return torch.stack((track.f0, track.confidence))
