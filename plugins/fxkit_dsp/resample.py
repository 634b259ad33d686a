"""The `resample`: another processor at a sample rate of its own."""

from __future__ import annotations

from collections.abc import Sequence
from typing import TYPE_CHECKING, Any

import attrs

from fxkit.context import BuildContext
from fxkit.parameter import Parameter
from fxkit.spec import opt
from fxkit.traits import Traits
from fxkit_dsp._nesting import Member, members
from fxkit_signal.rate_ratio import rate_ratio

if TYPE_CHECKING:
    from torch import nn


@attrs.frozen(kw_only=True)
class Resample:
    """Run a processor at another sample rate, such as a model of 44.1 kHz in a run at 48 kHz.

    Kaiser-windowed sinc filters both ways, flat to 0.9 of half the lower rate and 100 dB down from half of
    it. The latency is a whole number of samples of the run (146 for 44.1 in 48 kHz, plus the
    processor's). Nothing is changed where the run has the processor's rate. Parameters on frames stay so
    where the run's hop is a whole number of samples at the other rate; else they are constant.
    """

    processor: Any = opt(kind="processors", help="what runs at the other rate")
    rate: int = opt(unit="Hz", ge=8000, le=384000, help="sample rate that the processor runs at")

    def parameters(self, ctx: BuildContext) -> Sequence[Parameter]:
        """Declare the parameters of the processor, with bounds that follow its rate."""
        member = self._member(ctx)
        inner = tuple(member.spec.parameters(member.ctx))
        if self._keeps_frames(ctx):
            return inner
        framed = ("frame", "control")
        return tuple(attrs.evolve(one, rate="constant") if one.rate in framed else one for one in inner)

    def traits(self, ctx: BuildContext) -> Traits:
        """Declare what the processor declares, with the filters' latency."""
        inner = self._member(ctx).traits
        if self.rate == ctx.sample_rate:
            return inner
        ratio = rate_ratio(ctx.sample_rate, self.rate)
        late = ratio.delay(both=not inner.source) + inner.latency * ratio.down
        # Which sample is the oldest that counts depends on the phase of the two rates.
        return attrs.evolve(inner, latency=-(-late // ratio.up), receptive_field=None, macs=None)

    def build(self, ctx: BuildContext) -> nn.Module:
        """Build the processor, and the filters where its rate differs from the run's."""
        from fxkit.adapters import as_module
        from fxkit_dsp._resample import ResampleModule

        member = self._member(ctx)
        if self.rate == ctx.sample_rate:
            return as_module(member.spec.build(member.ctx))
        return ResampleModule(member, rate_ratio(ctx.sample_rate, self.rate), self._keeps_frames(ctx))

    def _member(self, ctx: BuildContext) -> Member:
        hop = max(1, round(ctx.hop * self.rate / ctx.sample_rate))
        return members((self.processor,), attrs.evolve(ctx, sample_rate=self.rate, hop=hop))[0]

    def _keeps_frames(self, ctx: BuildContext) -> bool:
        return ctx.hop * self.rate % ctx.sample_rate == 0
