"""The module of the minimum-phase filter."""

from __future__ import annotations

import math
from collections.abc import Mapping

import torch
from torch import Tensor, nn

from fxkit_dsp._edition import edition
from fxkit_signal.convolution import convolve
from fxkit_signal.memo import Memo
from fxkit_signal.minimum_phase import grid_points, minimum_phase


class MinimumPhaseFIRModule(nn.Module):
    """Design taps from gains per band and convolve; the state is the audio before."""

    hats: Tensor

    def __init__(self, bands: int, taps: int, lowest: float) -> None:
        super().__init__()
        self.taps = taps
        bins = torch.linspace(0, 1, grid_points(taps), dtype=torch.float64)
        place = (1 - bins.clamp(min=lowest).log() / math.log(lowest)) * (bands - 1)
        # Each bin lies between two bands: a hat function around every band.
        hats = 1 - (place - torch.arange(bands, dtype=torch.float64)[:, None]).abs()
        self.register_buffer("hats", hats.clamp(min=0), persistent=False)
        self.memo: Memo[Tensor] = Memo()

    def forward(
        self, audio: Tensor, params: Mapping[str, Tensor], state: Tensor | None = None
    ) -> tuple[Tensor, Tensor]:
        """Filter audio [batch, channels, samples]; `gain_db` is [batch, bands, 1]."""
        gains = params["gain_db"]
        taps = self.memo(lambda: self._taps(gains), gains, edition(gains))
        return convolve(audio, taps, state)

    def _taps(self, gains: Tensor) -> Tensor:
        log_gain = (gains[..., 0].to(self.hats.dtype) @ self.hats) * (math.log(10) / 20)
        return minimum_phase(log_gain, self.taps)[:, None].to(gains.dtype)
