"""The delay: the sound some time ago."""

from __future__ import annotations

from collections.abc import Sequence
from typing import TYPE_CHECKING

import attrs

from fxkit.context import BuildContext
from fxkit.parameter import Parameter
from fxkit.spec import opt
from fxkit.traits import Traits
from fxkit_dsp._sweep import READING_COST, READING_HELP, READING_MARGIN, READINGS, Interpolation, share_of_wet

if TYPE_CHECKING:
    from fxkit_dsp._delay import DelayModule


@attrs.frozen(kw_only=True)
class Delay:
    """Mix the sound with itself some time ago.

    The time may move at every sample and need not be a whole number of samples: the line is read by
    interpolation (Laakso, Valimaki, Karjalainen and Laine, Splitting the unit delay, 1996).
    """

    longest: float = opt(100.0, unit="ms", ge=2, le=10000, help="longest time that can be set")
    interpolation: Interpolation = opt("sinc", choices=READINGS, help=READING_HELP)

    @classmethod
    def examples(cls) -> Sequence[object]:
        """Return what is worth checking: a recursive reading, too."""
        return (cls(), cls(interpolation="allpass"))

    def parameters(self, ctx: BuildContext) -> Sequence[Parameter]:
        """Declare time and mix, which may move at every sample."""
        shortest = READING_MARGIN * 1000 / ctx.sample_rate
        return (
            Parameter(
                name="time", low=shortest, high=self.longest, default=(shortest * self.longest) ** 0.5,
                unit="ms", mapping="log", help="how long ago",
            ),
            share_of_wet(),
        )  # fmt: skip

    def traits(self, ctx: BuildContext) -> Traits:
        """Declare that no sample waits: the time that is modelled is no latency."""
        return Traits(macs=ctx.channels * (READING_COST[self.interpolation] + 2))

    def build(self, ctx: BuildContext) -> DelayModule:
        """Build the module."""
        from fxkit_dsp._delay import DelayModule

        return DelayModule(ctx.sample_rate, self.longest, self.interpolation)
