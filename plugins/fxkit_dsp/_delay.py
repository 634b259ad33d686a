"""The modules of delay and echo."""

from __future__ import annotations

import math
from collections.abc import Mapping

from torch import Tensor, nn

from fxkit_dsp._sweep import Interpolation
from fxkit_signal.delay_line import LineState, delay_line


class DelayModule(nn.Module):
    """Mix audio with itself some time ago; the state is the line's."""

    def __init__(self, sample_rate: int, longest: float, interpolation: Interpolation) -> None:
        super().__init__()
        self.per_millisecond = sample_rate / 1000
        self.longest = longest * self.per_millisecond
        self.interpolation: Interpolation = interpolation

    def forward(
        self, audio: Tensor, params: Mapping[str, Tensor], state: LineState | None = None
    ) -> tuple[Tensor, LineState]:
        """Process audio [batch, channels, samples]; parameters are [batch, 1, 1 or samples]."""
        time = params["time"].double() * self.per_millisecond
        wet, state = delay_line(
            audio, time, state=state, longest=self.longest, interpolation=self.interpolation
        )
        return audio + params["mix"] * (wet - audio), state


class EchoModule(nn.Module):
    """Mix audio with its echoes, each darker than the one before; the state is the line's."""

    def __init__(self, sample_rate: int, longest: float, interpolation: Interpolation) -> None:
        super().__init__()
        self.sample_rate = sample_rate
        self.longest = longest * sample_rate / 1000
        self.interpolation: Interpolation = interpolation

    def forward(
        self, audio: Tensor, params: Mapping[str, Tensor], state: LineState | None = None
    ) -> tuple[Tensor, LineState]:
        """Process audio [batch, channels, samples]; parameters are [batch, 1, 1 or samples]."""
        time = params["time"].double() * (self.sample_rate / 1000)
        # The one-pole low-pass whose impulse response is that of an RC circuit with this corner.
        damping = (params["tone"].double() * (-2 * math.pi / self.sample_rate)).exp()
        wet, state = delay_line(
            audio, time, params["feedback"], damping, state,
            longest=self.longest, interpolation=self.interpolation,
        )  # fmt: skip
        return audio + params["mix"] * (wet - audio), state
