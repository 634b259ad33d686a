"""The chorus: several copies of the sound, each a little late and out of tune."""

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
    oscillator,
    share_of_wet,
)

if TYPE_CHECKING:
    from fxkit_dsp._flanger import ChorusModule

LONGEST_DELAY = 50.0
DEEPEST = 20.0


@attrs.frozen(kw_only=True)
class Chorus:
    """Add voices that are late and out of tune by turns.

    One swept delay per voice, their oscillators spread evenly over a turn (Dattorro, Effect design 2,
    1997). The wet sound is the mean of the voices.
    """

    voices: int = opt(3, ge=1, le=16, help="number of voices")
    wave: Wave = opt("sine", choices=WAVES, help=WAVE_HELP)
    interpolation: Interpolation = opt("sinc", choices=READINGS, help=READING_HELP)

    @classmethod
    def examples(cls) -> Sequence[object]:
        """Return what is worth checking: one voice, read recursively, too."""
        return (cls(), cls(voices=1, interpolation="allpass"))

    def parameters(self, ctx: BuildContext) -> Sequence[Parameter]:
        """Declare the sweep; all but the oscillator may move at every sample."""
        return (
            Parameter(
                name="delay", low=1.0, high=LONGEST_DELAY, default=15.0, unit="ms", mapping="log",
                help="shortest delay of the sweep",
            ),
            Parameter(
                name="depth", low=0.0, high=DEEPEST, default=3.0, unit="ms", help="how far the delay is swept"
            ),
            share_of_wet(),
            *oscillator(ctx, self.wave, rate=0.8),
        )  # fmt: skip

    def traits(self, ctx: BuildContext) -> Traits:
        """Declare that no sample waits."""
        return Traits(macs=ctx.channels * self.voices * (READING_COST[self.interpolation] + 3))

    def build(self, ctx: BuildContext) -> ChorusModule:
        """Build the module."""
        from fxkit_dsp._flanger import ChorusModule

        longest = LONGEST_DELAY + DEEPEST
        return ChorusModule(ctx.sample_rate, self.wave, longest, self.interpolation, self.voices)
