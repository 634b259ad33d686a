"""The module of the state-variable filter."""

from __future__ import annotations

import math
from collections.abc import Mapping

from torch import Tensor, nn

from fxkit.values import State
from fxkit_signal.svf import svf


class StateVariableFilterModule(nn.Module):
    """Weigh the outputs of a state-variable filter; without weights, a controller gives them.

    The state is that of `fxkit_signal.svf.svf`.
    """

    def __init__(self, sample_rate: int, mix: tuple[float, float, float] | None) -> None:
        super().__init__()
        self.sample_rate = sample_rate
        self.mix = mix

    def forward(
        self, audio: Tensor, params: Mapping[str, Tensor], state: State = None
    ) -> tuple[Tensor, State]:
        """Filter audio [batch, channels, samples]; each parameter is [batch, 1, 1 or samples]."""
        g = (params["frequency"].double() * (math.pi / self.sample_rate)).tan()
        damping = 0.5 / params["q"].double()
        (low, band, high), state = svf(audio, g, damping, state)
        # At its centre the band-pass of the circuit has the gain Q.
        band = 2 * damping.to(band) * band
        weights = self.mix or (params["low"], params["band"], params["high"])
        return weights[0] * low + weights[1] * band + weights[2] * high, state
