"""The vibrato: a pitch that is bent up and down."""

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
    from fxkit_dsp._flanger import VibratoModule

DEEPEST = 10.0


@attrs.frozen(kw_only=True)
class Vibrato:
    """Bend the pitch up and down.

    A delay swept from a fixed eight samples to `depth` more bends the pitch by pi depth rate at most
    (Zolzer, DAFX, 2011, section 3.2). Below a mix of one it becomes a chorus of one voice.
    """

    wave: Wave = opt("sine", choices=WAVES, help=WAVE_HELP)
    interpolation: Interpolation = opt("sinc", choices=READINGS, help=READING_HELP)

    @classmethod
    def examples(cls) -> Sequence[object]:
        """Return what is worth checking: a learned wave, too."""
        return (cls(), cls(wave="learned"))

    def parameters(self, ctx: BuildContext) -> Sequence[Parameter]:
        """Declare depth and mix, which may move at every sample, and the oscillator."""
        depth = Parameter(
            name="depth", low=0.0, high=DEEPEST, default=1.0, unit="ms", help="how far the delay is swept"
        )
        return (depth, share_of_wet(1.0), *oscillator(ctx, self.wave, rate=5.0))

    def traits(self, ctx: BuildContext) -> Traits:
        """Declare that no sample waits beyond the modelled delay."""
        return Traits(macs=ctx.channels * (READING_COST[self.interpolation] + 3))

    def build(self, ctx: BuildContext) -> VibratoModule:
        """Build the module."""
        from fxkit_dsp._flanger import VibratoModule

        return VibratoModule(ctx.sample_rate, self.wave, self.interpolation, DEEPEST)
