"""The echo: repeats that grow fainter and darker."""

from __future__ import annotations

from collections.abc import Sequence
from typing import TYPE_CHECKING

import attrs

from fxkit.context import BuildContext
from fxkit.parameter import Parameter
from fxkit.spec import opt
from fxkit.traits import Traits
from fxkit_dsp._sweep import READING_COST, READING_HELP, READINGS, Interpolation, loop_gain, share_of_wet

if TYPE_CHECKING:
    from fxkit_dsp._delay import EchoModule


@attrs.frozen(kw_only=True)
class Echo:
    """Repeat the sound, each time fainter and darker.

    A delay line with a one-pole low-pass and a gain around it (Schroeder and Logan, Colorless artificial
    reverberation, 1961; Moorer, About this reverberation business, 1979).
    """

    longest: float = opt(1000.0, unit="ms", ge=20, le=10000, help="longest time that can be set")
    interpolation: Interpolation = opt("sinc", choices=READINGS, help=READING_HELP)

    @classmethod
    def examples(cls) -> Sequence[object]:
        """Return what is worth checking: a reading by other taps, too."""
        return (cls(), cls(interpolation="cubic"))

    def parameters(self, ctx: BuildContext) -> Sequence[Parameter]:
        """Declare time, feedback, tone and mix, which may all move at every sample."""
        top = 0.45 * ctx.sample_rate
        return (
            Parameter(
                name="time", low=5.0, high=self.longest, default=(5.0 * self.longest) ** 0.5, unit="ms",
                mapping="log", help="time from one repeat to the next",
            ),
            loop_gain(0.3),
            Parameter(
                name="tone", low=200.0, high=top, default=top, unit="Hz", mapping="log",
                help="corner of the low-pass that each further repeat runs through",
            ),
            share_of_wet(),
        )  # fmt: skip

    def traits(self, ctx: BuildContext) -> Traits:
        """Declare a recursion in which no sample waits."""
        return Traits(macs=ctx.channels * (READING_COST[self.interpolation] + 4))

    def build(self, ctx: BuildContext) -> EchoModule:
        """Build the module."""
        from fxkit_dsp._delay import EchoModule

        return EchoModule(ctx.sample_rate, self.longest, self.interpolation)
