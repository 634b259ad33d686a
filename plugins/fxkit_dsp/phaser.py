"""The phaser: notches that wander through the spectrum."""

from __future__ import annotations

from collections.abc import Sequence
from typing import TYPE_CHECKING

import attrs

from fxkit.context import BuildContext
from fxkit.parameter import Parameter
from fxkit.spec import opt
from fxkit.traits import Traits
from fxkit_dsp._sweep import WAVE_HELP, WAVES, Wave, loop_gain, oscillator, share_of_wet

if TYPE_CHECKING:
    from fxkit_dsp._phaser import PhaserModule


@attrs.frozen(kw_only=True)
class Phaser:
    """Move notches through the spectrum.

    First-order allpass stages move together and are mixed with the dry sound: two stages make a notch
    (Smith, An allpass approach to digital phasing and flanging, 1984). The stages are rotations, which
    keeps the loop around them stable however fast they move.
    """

    stages: int = opt(4, ge=1, le=24, help="allpass stages, each of which turns the phase by 90 degrees")
    wave: Wave = opt("sine", choices=WAVES, help=WAVE_HELP)

    @classmethod
    def examples(cls) -> Sequence[object]:
        """Return what is worth checking: many stages and another wave, too."""
        return (cls(), cls(stages=7, wave="triangle"))

    def parameters(self, ctx: BuildContext) -> Sequence[Parameter]:
        """Declare the sweep; all but the oscillator may move at every sample."""
        return (
            Parameter(
                name="frequency", low=40.0, high=min(8000.0, 0.4 * ctx.sample_rate), default=800.0, unit="Hz",
                mapping="log", help="middle of the sweep",
            ),
            Parameter(
                name="depth", low=0.0, high=8.0, default=2.0, unit="octaves", help="whole width of the sweep"
            ),
            loop_gain(),
            share_of_wet(inverted=True),
            *oscillator(ctx, self.wave, rate=0.5),
        )  # fmt: skip

    def traits(self, ctx: BuildContext) -> Traits:
        """Declare a recursive filter without delay."""
        return Traits(macs=ctx.channels * (4 * self.stages + 6))

    def build(self, ctx: BuildContext) -> PhaserModule:
        """Build the module."""
        from fxkit_dsp._phaser import PhaserModule

        return PhaserModule(ctx.sample_rate, self.wave, self.stages)
