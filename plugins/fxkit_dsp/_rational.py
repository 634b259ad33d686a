"""The module of the rational waveshaper."""

from __future__ import annotations

from collections.abc import Mapping

import numpy as np
import torch
from torch import Tensor, nn

from fxkit_signal.rational import Guard, fit, identity, rational


class RationalModule(nn.Module):
    """Hold the coefficients of numerator and denominator, from power 1 up."""

    def __init__(self, above: int, below: int, guard: Guard, start: str) -> None:
        super().__init__()
        self.guard: Guard = guard
        if start == "tanh":
            top, bottom = fit(np.tanh, above, below, guard)
        else:
            top, bottom = (torch.from_numpy(part) for part in identity(above, below, guard))
        self.numerator = nn.Parameter(top.float())
        self.denominator = nn.Parameter(bottom.float())

    def forward(self, audio: Tensor, params: Mapping[str, Tensor], state: None = None) -> tuple[Tensor, None]:
        """Shape audio [batch, channels, samples]; there is no state."""
        return rational(audio, self.numerator, self.denominator, self.guard), None
