"""The flanger: a short delay that is swept up and down, with feedback around it."""

from __future__ import annotations

from collections.abc import Sequence
from typing import TYPE_CHECKING

import attrs

from fxkit.context import BuildContext
from fxkit.parameter import Parameter
from fxkit.spec import opt
from fxkit.traits import Traits
from fxkit_dsp._sweep import (
    READING_COST,
    READING_HELP,
    READINGS,
    WAVE_HELP,
    WAVES,
    Interpolation,
    Wave,
    loop_gain,
    oscillator,
    share_of_wet,
)

if TYPE_CHECKING:
    from fxkit_dsp._flanger import FlangerModule

LONGEST_DELAY = 12.0
DEEPEST = 12.0


@attrs.frozen(kw_only=True)
class Flanger:
    """Sweep a comb through the spectrum.

    The delay runs from `delay` to `delay` + `depth`; what leaves the line enters it again (Bartlett, A
    scientific explanation of phasing, 1970; Dattorro, Effect design 2, 1997). The oscillator's phase is
    counted from sample 0 of a recording, so that rate and phase can be learned from any part of it.
    """

    wave: Wave = opt("sine", choices=WAVES, help=WAVE_HELP)
    interpolation: Interpolation = opt("sinc", choices=READINGS, help=READING_HELP)

    @classmethod
    def examples(cls) -> Sequence[object]:
        """Return what is worth checking: other waves and readings, too."""
        return (cls(), cls(wave="learned"), cls(wave="triangle", interpolation="allpass"))

    def parameters(self, ctx: BuildContext) -> Sequence[Parameter]:
        """Declare the sweep; all but the oscillator may move at every sample."""
        return (
            Parameter(
                name="delay", low=0.2, high=LONGEST_DELAY, default=1.0, unit="ms", mapping="log",
                help="shortest delay of the sweep",
            ),
            Parameter(
                name="depth", low=0.0, high=DEEPEST, default=2.0, unit="ms", help="how far the delay is swept"
            ),
            loop_gain(),
            share_of_wet(inverted=True),
            *oscillator(ctx, self.wave, rate=0.5),
        )  # fmt: skip

    def traits(self, ctx: BuildContext) -> Traits:
        """Declare a recursion in which no sample waits."""
        return Traits(macs=ctx.channels * (READING_COST[self.interpolation] + 5))

    def build(self, ctx: BuildContext) -> FlangerModule:
        """Build the module."""
        from fxkit_dsp._flanger import FlangerModule

        return FlangerModule(ctx.sample_rate, self.wave, LONGEST_DELAY + DEEPEST, self.interpolation)
