"""The `rate-reduction` processor: sample and hold below the sample rate."""

from __future__ import annotations

from collections.abc import Sequence
from typing import TYPE_CHECKING

import attrs

from fxkit.context import BuildContext
from fxkit.parameter import Parameter
from fxkit.spec import opt
from fxkit.traits import Traits

if TYPE_CHECKING:
    from fxkit_dsp._rate_reduction import RateReductionModule


@attrs.frozen(kw_only=True)
class RateReduction:
    """Hold samples at a lower rate, without any filter: the aliases are the effect.

    A sample is taken whenever a phase that grows by rate / sample rate has passed a whole number. The
    gradient to the audio is the derivative; that to the rate is an estimate, under which a higher rate
    moves the held value towards the live one.
    """

    lowest: float = opt(200.0, unit="Hz", gt=0, help="lowest rate a controller can set")

    def parameters(self, ctx: BuildContext) -> Sequence[Parameter]:
        """Declare the rate, which may move at every sample and starts at the sample rate."""
        top = float(ctx.sample_rate)
        return (
            Parameter(
                name="rate", low=self.lowest, high=top, default=top, unit="Hz", mapping="log",
                help="samples taken per second",
            ),
        )  # fmt: skip

    def traits(self, ctx: BuildContext) -> Traits:
        """Declare a hold whose gradient is an estimate, not the derivative."""
        return Traits(differentiable=False, straight_through=True, macs=ctx.channels)

    def build(self, ctx: BuildContext) -> RateReductionModule:
        """Build the module."""
        from fxkit_dsp._rate_reduction import RateReductionModule

        return RateReductionModule(ctx.sample_rate)
