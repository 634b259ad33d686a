"""The modules of processors that mix two channels, sample by sample."""

from __future__ import annotations

import math
from collections.abc import Mapping

import torch
from torch import Tensor, nn

Params = Mapping[str, Tensor]


class PanModule(nn.Module):
    """Weigh left and right by cos(theta)^(2 power) and sin(theta)^(2 power)."""

    def __init__(self, power: float) -> None:
        super().__init__()
        self.power = power

    def forward(self, audio: Tensor, params: Params, state: None = None) -> tuple[Tensor, None]:
        """Place audio [batch, 1 or 2, samples] by `pan` [batch, 1, 1 or samples]; returns two channels."""
        angle = (params["pan"] + 1) * (math.pi / 4)
        # The angle's ends are rounded: a gain of 0 there must not become the root of less than nothing.
        shares = torch.cat([angle.cos(), angle.sin()], dim=1).clamp(min=1e-8)
        middle = 1.0 if audio.shape[1] == 1 else 2**self.power
        return audio * (shares ** (2 * self.power) * middle), None


class WidthModule(nn.Module):
    """Scale the side of a stereo signal."""

    def forward(self, audio: Tensor, params: Params, state: None = None) -> tuple[Tensor, None]:
        """Widen audio [batch, 2, samples] by `width` [batch, 1, 1 or samples]."""
        middle, side = _matrix(audio, 0.5).split(1, dim=1)
        return _matrix(torch.cat([middle, side * params["width"]], dim=1), 1.0), None


class MidSideModule(nn.Module):
    """Return the scaled sum and difference of two channels."""

    def __init__(self, scale: float) -> None:
        super().__init__()
        self.scale = scale

    def forward(self, audio: Tensor, params: Params, state: None = None) -> tuple[Tensor, None]:
        """Turn audio [batch, 2, samples] into sum and difference."""
        return _matrix(audio, self.scale), None


def _matrix(audio: Tensor, scale: float) -> Tensor:
    first, second = audio.split(1, dim=1)
    return torch.cat([first + second, first - second], dim=1) * scale
