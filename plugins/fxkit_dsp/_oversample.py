"""The module that runs a processor at a multiple of the sample rate."""

from __future__ import annotations

from collections.abc import Mapping
from typing import Any, cast

import torch
from torch import Tensor, nn

from fxkit.adapters import as_module
from fxkit.values import State
from fxkit_dsp._nesting import Member
from fxkit_signal.halfband import Oversampling
from fxkit_signal.polyphase import Polyphase, change_rate, polyphase


class OversampleModule(nn.Module):
    """Raise the rate, run the processor, lower the rate.

    The state is {"up", "tracks", "inner", "down"}: the past of each signal on its way up, the last value of
    each moving parameter, the processor's state, and the past on the way down.
    """

    def __init__(self, member: Member, design: Oversampling) -> None:
        super().__init__()
        self.inner = as_module(member.spec.build(member.ctx))
        self.factor = design.factor
        if hasattr(self.inner, "state_at"):
            self.state_at = self._state_at
        self.moving = frozenset(
            parameter.name for parameter in member.spec.parameters(member.ctx) if parameter.rate == "sample"
        )
        up = polyphase(design.up, self.factor, 1)
        down = polyphase(design.down, 1, self.factor, early=self.factor - 1)
        self.past_up, self.past_down = up.past, down.past
        self.register_buffer("matrix_up", up.matrix.float(), persistent=False)
        self.register_buffer("matrix_down", down.matrix.float(), persistent=False)
        ramp = torch.arange(1, self.factor + 1) / self.factor
        self.register_buffer("ramp", ramp, persistent=False)

    def forward(
        self, audio: Tensor, params: Mapping[str, Tensor], state: State = None, **inputs: Tensor
    ) -> Any:
        """Process audio [batch, channels, samples] with the processor's parameters."""
        state = state or {"up": {}, "tracks": {}, "inner": None, "down": None}
        faster, ups = self._raised({"audio": audio, **inputs}, state["up"])
        tracks, lasts = self._interpolated(params, audio.shape[-1], state["tracks"])
        wet, after, *terms = self.inner(faster.pop("audio"), tracks, state["inner"], **faster)
        change = Polyphase(cast("Tensor", self.matrix_down), self.past_down)
        output, down = change_rate(wet, change, state["down"])
        return (output, {"up": ups, "tracks": lasts, "inner": after, "down": down}, *terms)

    def _raised(
        self, signals: Mapping[str, Tensor], pasts: Mapping[str, Tensor]
    ) -> tuple[dict[str, Tensor], dict[str, Tensor]]:
        change = Polyphase(cast("Tensor", self.matrix_up), self.past_up)
        raised, following = {}, {}
        for name, signal in signals.items():
            raised[name], following[name] = change_rate(signal, change, pasts.get(name))
        return raised, following

    def _interpolated(
        self, params: Mapping[str, Tensor], samples: int, lasts: Mapping[str, Tensor]
    ) -> tuple[dict[str, Tensor], dict[str, Tensor]]:
        """Draw lines between the values of moving parameters; each is reached with the last new sample."""
        if not samples:
            return dict(params), dict(lasts)
        tracks, following = dict(params), {}
        for name in self.moving:
            values = following[name] = params[name]
            if values.shape[-1] == samples:
                joined = torch.cat([lasts.get(name, values[..., :1]), values], dim=-1)
                ramp = cast("Tensor", self.ramp).to(values.dtype)
                tracks[name] = torch.lerp(joined[..., :-1, None], joined[..., 1:, None], ramp).flatten(-2)
                following[name] = values[..., -1:].clone()
        return tracks, following

    def _state_at(self, starts: Tensor) -> State:
        """Return the state after silence that lasted `starts` samples [batch]."""
        inner = cast("Any", self.inner).state_at(starts * self.factor)
        return {"up": {}, "tracks": {}, "inner": inner, "down": None}
