"""The module of the parametric equaliser."""

from __future__ import annotations

from collections.abc import Mapping

import torch
from torch import Tensor, nn

from fxkit_signal.biquad import high_shelf, low_shelf, peak, sosfilt


class ParametricEQModule(nn.Module):
    """Run audio through a low shelf, peaks and a high shelf.

    The state is that of the sections, float64 [batch, channels, bands, 2].
    """

    def __init__(self, sample_rate: int) -> None:
        super().__init__()
        self.sample_rate = sample_rate

    def forward(
        self, audio: Tensor, params: Mapping[str, Tensor], state: Tensor | None = None
    ) -> tuple[Tensor, Tensor]:
        """Filter audio [batch, channels, samples]; each parameter is [batch, bands, 1]."""
        frequency, gain, q = (params[name][..., 0].double() for name in ("frequency", "gain_db", "q"))
        sections = [
            low_shelf(frequency[:, :1], gain[:, :1], q[:, :1], self.sample_rate),
            peak(frequency[:, 1:-1], gain[:, 1:-1], q[:, 1:-1], self.sample_rate),
            high_shelf(frequency[:, -1:], gain[:, -1:], q[:, -1:], self.sample_rate),
        ]
        return sosfilt(audio, torch.cat(sections, dim=1), state)
