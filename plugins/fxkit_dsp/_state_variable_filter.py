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
        weights = self.mix or tuple(params[name] for name in ("low", "band", "high"))
        # At its centre the band-pass of the circuit has the gain Q.
        parts = (low, 2 * damping.to(band) * band, high)
        shares = [weight * part for weight, part in zip(weights, parts, strict=True)]
        return shares[0] + shares[1] + shares[2], state
