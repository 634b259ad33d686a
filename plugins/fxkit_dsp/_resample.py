"""The module that runs a processor at another sample rate."""

from __future__ import annotations

from collections.abc import Mapping
from typing import Any, cast

import torch
from torch import Tensor, nn

from fxkit.adapters import as_module
from fxkit.values import State
from fxkit_dsp._nesting import Member
from fxkit_signal.framing import frames_due
from fxkit_signal.polyphase import Polyphase, change_rate_by_ratio, polyphase, windowed_sinc
from fxkit_signal.rate_ratio import RateRatio


class ResampleModule(nn.Module):
    """Change to the processor's rate, run it, change back.

    The state is {"position", "into", "tracks", "inner", "back"}: the samples done (int64), the past of each
    signal on its way in, the last value of each moving parameter, the processor's state, and the past on
    the way back.
    """

    def __init__(self, member: Member, ratio: RateRatio, keeps_frames: bool) -> None:
        super().__init__()
        self.inner = as_module(member.spec.build(member.ctx))
        self.ratio = ratio
        if hasattr(self.inner, "state_at"):
            self.state_at = self._state_at
        self.hop = member.ctx.hop
        self.traits = member.traits
        self.channels = member.channels_out if member.traits.source else member.traits.channels_out
        parameters = member.spec.parameters(member.ctx)
        self.moving = frozenset(one.name for one in parameters if one.rate == "sample")
        self.framed = frozenset(one.name for one in parameters if one.rate == "frame" and not keeps_frames)
        taps = windowed_sinc(ratio.cutoff, ratio.length)
        late = ratio.delay(both=not member.traits.source) + member.traits.latency * ratio.down
        delayed = nn.functional.pad(taps, (-late % ratio.up, 0))
        into = polyphase(ratio.up * taps, ratio.up, ratio.down)
        back = polyphase(ratio.down * delayed, ratio.down, ratio.up)
        self.past_into, self.past_back = into.past, back.past
        self.register_buffer("matrix_into", into.matrix.float(), persistent=False)
        self.register_buffer("matrix_back", back.matrix.float(), persistent=False)

    def forward(
        self, audio: Tensor, params: Mapping[str, Tensor], state: State = None, **inputs: Tensor
    ) -> Any:
        """Process audio [batch, channels, samples] with the processor's parameters."""
        state = _silence(None) if state is None else state
        samples, position = audio.shape[-1], int(state["position"])
        due = self.ratio.due(position, samples)
        change = Polyphase(cast("Tensor", self.matrix_into), self.past_into)
        signals, pasts = {}, {}
        for name, signal in {"audio": audio, **inputs}.items():
            signals[name], pasts[name] = change_rate_by_ratio(signal, change, due, state["into"].get(name))
        tracks, lasts = self._at_rate(params, samples, position, state["tracks"])
        wet, after, *terms = self._run(signals, tracks, state["inner"])
        back = Polyphase(cast("Tensor", self.matrix_back), self.past_back)
        output, rest = change_rate_by_ratio(wet, back, samples, state["back"])
        following = {
            "position": state["position"] + samples,
            "into": pasts,
            "tracks": lasts,
            "inner": after,
            "back": rest,
        }
        return (output, following, *terms)

    def _run(self, signals: dict[str, Tensor], tracks: Mapping[str, Tensor], state: State) -> tuple[Any, ...]:
        audio = signals.pop("audio")
        if audio.shape[-1] or self.traits.terms:
            return tuple(self.inner(audio, tracks, state, **signals))
        # A short block of a higher rate may hold no sample of the lower one.
        return audio.new_zeros(audio.shape[0], self.channels or audio.shape[1], 0), state

    def _at_rate(
        self, params: Mapping[str, Tensor], samples: int, position: int, lasts: Mapping[str, Tensor]
    ) -> tuple[dict[str, Tensor], dict[str, Tensor]]:
        """Bring moving parameters to the other rate by lines, and constants to its frames."""
        tracks, following = dict(params), dict(lasts)
        due, begun = self.ratio.due(position, samples), self.ratio.due(0, position)
        for name in self.moving if samples else ():
            values = following[name] = params[name]
            if values.shape[-1] == samples:
                joined = torch.cat([lasts.get(name, values[..., :1]), values], dim=-1)
                tracks[name] = self._between(joined, position, begun, due)
                following[name] = values[..., -1:].clone()
        for name in self.framed:
            tracks[name] = params[name].expand(-1, -1, frames_due(begun, due, self.hop))
        return tracks, following

    def _between(self, joined: Tensor, position: int, begun: int, due: int) -> Tensor:
        """Interpolate values, the first of which belongs to the sample before the block."""
        time = torch.arange(begun, begun + due, device=joined.device) * self.ratio.down
        index = torch.div(time, self.ratio.up, rounding_mode="floor") - position
        share = (time % self.ratio.up).to(joined.dtype) / self.ratio.up
        return torch.lerp(joined[..., index], joined[..., index + 1], share)

    def _state_at(self, starts: Tensor) -> State:
        """Return the state after silence that lasted `starts` samples [batch].

        The phase of the two rates begins anew: the items of a batch cannot each have their own.
        """
        return _silence(cast("Any", self.inner).state_at(starts * self.ratio.up // self.ratio.down))


def _silence(inner: State) -> dict[str, Any]:
    zero = torch.zeros((), dtype=torch.int64)
    return {"position": zero, "into": {}, "tracks": {}, "inner": inner, "back": None}
