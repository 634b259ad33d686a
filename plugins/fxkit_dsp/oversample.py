"""The `oversample`: another processor at two, four or eight times the sample rate."""

from __future__ import annotations

from collections.abc import Sequence
from typing import TYPE_CHECKING, Any, Literal

import attrs

from fxkit.context import BuildContext
from fxkit.parameter import Parameter
from fxkit.spec import opt
from fxkit.traits import Traits
from fxkit_dsp._nesting import Member, members
from fxkit_signal.halfband import Oversampling, design_oversampling

if TYPE_CHECKING:
    from fxkit_dsp._oversample import OversampleModule


@attrs.frozen(kw_only=True)
class Oversample:
    """Run a processor at a multiple of the sample rate, against aliasing.

    Half-band filters on the way up, a sharper last one on the way down: flat to 0.42 of the sample rate
    (20 kHz at 48 kHz), 100 dB down from half of it. The latency is a whole number of samples: 61, plus
    the processor's. The processor's parameters are those of the wrapper; ones that move at every sample
    are interpolated linearly.
    """

    processor: Any = opt(kind="processors", help="what runs at the higher rate")
    factor: Literal[2, 4, 8] = opt(4, choices=(2, 4, 8), help="multiple of the sample rate")

    def parameters(self, ctx: BuildContext) -> Sequence[Parameter]:
        """Declare the parameters of the processor, with bounds that follow the higher rate."""
        member = self._member(ctx)
        return tuple(member.spec.parameters(member.ctx))

    def traits(self, ctx: BuildContext) -> Traits:
        """Declare what the processor declares, with the filters' latency and reach."""
        inner, design = self._member(ctx).traits, design_oversampling(self.factor)
        late = design.delay(both=not inner.source) + inner.latency
        lead = -late % self.factor
        reach = len(design.up) + len(design.down) + lead - 2
        field = inner.receptive_field and 1 + (reach + inner.receptive_field - self.factor) // self.factor
        filters = max(ctx.channels, 1) * (len(design.up) + len(design.down))
        return attrs.evolve(
            inner,
            latency=(late + lead) // self.factor,
            receptive_field=field,
            macs=None if inner.macs is None else inner.macs * self.factor + filters,
        )

    def build(self, ctx: BuildContext) -> OversampleModule:
        """Build the processor and the filters."""
        from fxkit_dsp._oversample import OversampleModule

        return OversampleModule(self._member(ctx), self._design(ctx))

    def _member(self, ctx: BuildContext) -> Member:
        faster = attrs.evolve(ctx, sample_rate=ctx.sample_rate * self.factor, hop=ctx.hop * self.factor)
        return members((self.processor,), faster)[0]

    def _design(self, ctx: BuildContext) -> Oversampling:
        """Return the filters, the way down late enough for a whole number of samples in all."""
        inner, design = self._member(ctx).traits, design_oversampling(self.factor)
        lead = -(design.delay(both=not inner.source) + inner.latency) % self.factor
        return design._replace(down=(0.0,) * lead + design.down)
