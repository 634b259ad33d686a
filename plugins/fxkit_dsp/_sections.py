"""The module behind every filter that is a cascade of second-order sections."""

from __future__ import annotations

from collections.abc import Callable, Mapping, Sequence

from torch import Tensor, nn

from fxkit.context import BuildContext
from fxkit.values import State
from fxkit_signal.biquad import sosfilt_varying
from fxkit_signal.framing import control_frames
from fxkit_signal.memo import Memo

Design = Callable[..., Tensor]


class SectionsModule(nn.Module):
    """Design sections from parameters and run audio through them.

    `design(*values, sample_rate)` gets the parameters called `names`, each float64 [batch, frames, size],
    and returns sections [batch, frames, ..., 6], which run one after the other. What stands still is
    designed once; between frames the coefficients move on straight lines.
    """

    def __init__(self, ctx: BuildContext, design: Design, names: Sequence[str]) -> None:
        super().__init__()
        self.sample_rate, self.hop = ctx.sample_rate, ctx.hop
        self.design = design
        self.names = tuple(names)
        self.memo: Memo[Tensor] = Memo()

    def forward(
        self, audio: Tensor, params: Mapping[str, Tensor], state: State = None
    ) -> tuple[Tensor, State]:
        """Filter audio [batch, channels, samples]; each parameter is [batch, size, 1 or frames due]."""
        samples = audio.shape[-1]
        if samples == 0:
            return audio, state
        before = state or {"sections": None, "clocks": {}}
        offset, values, clocks = 0, [], {}
        for name in self.names:
            frames, shift, clocks[name] = control_frames(
                params[name], samples, self.hop, before["clocks"].get(name)
            )
            offset = max(offset, shift)
            values.append(frames)
        sos = self._designed(values)
        audio, sections = sosfilt_varying(audio, sos, before["sections"], hop=self.hop, offset=offset)
        return audio, {"sections": sections, "clocks": clocks}

    def _designed(self, values: list[Tensor]) -> Tensor:
        if any(frames.shape[-1] > 1 for frames in values):
            return self._design(values)
        return self.memo(lambda: self._design(values), *values)

    def _design(self, values: list[Tensor]) -> Tensor:
        return self.design(*(frames.double().mT for frames in values), self.sample_rate).flatten(2, -2)
