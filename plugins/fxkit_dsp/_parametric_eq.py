"""The design behind the parametric equaliser."""

from __future__ import annotations

from collections.abc import Callable
from typing import Any

import attrs
import torch
from torch import Tensor

from fxkit_signal.biquad import high_pass, high_shelf, low_pass, low_shelf, peak

End = Callable[[Tensor, Tensor, float], Tensor]
ENDS: dict[str, End] = {"high_pass": high_pass, "low_pass": low_pass}


@attrs.frozen(kw_only=True)
class ParametricDesign:
    """Design bands, of which the outer two may be shelves, and filters that end the spectrum.

    Called with frequency, gain and Q of the bands (none of the three where there are no bands), then
    frequency and Q of each end, all [batch, frames, size], and the sample rate.
    """

    bands: int
    shelves: bool
    ends: tuple[str, ...]

    def __call__(self, *values: Any) -> Tensor:
        """Return sections [batch, frames, sections, 6]."""
        *tracks, rate = values
        ends = tracks[3:] if self.bands else tracks
        sections = list(self._bands(rate, *tracks[:3])) if self.bands else []
        for name, frequency, q in zip(self.ends, ends[::2], ends[1::2], strict=True):
            sections.append(ENDS[name](frequency, q, rate))
        # Some parameters may stand still while others move.
        frames = max(section.shape[1] for section in sections)
        return torch.cat([section.expand(-1, frames, -1, -1) for section in sections], dim=2)

    def _bands(self, rate: float, frequency: Tensor, gain: Tensor, q: Tensor) -> tuple[Tensor, ...]:
        if not self.shelves:
            return (peak(frequency, gain, q, rate),)
        return (
            low_shelf(frequency[..., :1], gain[..., :1], q[..., :1], rate),
            peak(frequency[..., 1:-1], gain[..., 1:-1], q[..., 1:-1], rate),
            high_shelf(frequency[..., -1:], gain[..., -1:], q[..., -1:], rate),
        )
