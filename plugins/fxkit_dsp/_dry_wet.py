"""The module that mixes a processor's output with its input."""

from __future__ import annotations

import math
from collections.abc import Mapping
from typing import Any

from torch import Tensor, nn

from fxkit.adapters import as_module
from fxkit.values import State
from fxkit_dsp._nesting import Member
from fxkit_signal.delay import delay


class DryWetModule(nn.Module):
    """Run a processor and add the input, as late as the processor's output is.

    The state is {"inner", "line"}: the processor's, and the dry samples still to come.
    """

    def __init__(self, member: Member, power: bool) -> None:
        super().__init__()
        self.inner = as_module(member.spec.build(member.ctx))
        self.latency = member.traits.latency
        self.power = power

    def forward(
        self, audio: Tensor, params: Mapping[str, Tensor], state: State = None, **inputs: Tensor
    ) -> Any:
        """Process audio [batch, channels, samples]; `mix` is [batch, 1, 1 or samples]."""
        state = state or {"inner": None, "line": None}
        wet, after, *terms = self.inner(audio, params, state["inner"], **inputs)
        dry, line = delay(audio, self.latency, state["line"])
        dry_gain, wet_gain = self._gains(params["mix"])
        return (dry_gain * dry + wet_gain * wet, {"inner": after, "line": line}, *terms)

    def _gains(self, mix: Tensor) -> tuple[Tensor, Tensor]:
        if not self.power:
            return 1 - mix, mix
        angle = mix * (math.pi / 2)
        return angle.cos(), angle.sin()

    def state_at(self, starts: Tensor) -> State:
        """Return the state after silence that lasted `starts` samples [batch]."""
        clock = getattr(self.inner, "state_at", None)
        return {"inner": clock(starts) if clock else None, "line": None}
