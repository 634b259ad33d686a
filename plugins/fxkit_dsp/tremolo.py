"""The tremolo: a level that goes up and down."""

from __future__ import annotations

from collections.abc import Sequence
from typing import TYPE_CHECKING

import attrs

from fxkit.context import BuildContext
from fxkit.parameter import Parameter
from fxkit.spec import opt
from fxkit.traits import Traits
from fxkit_dsp._sweep import WAVE_HELP, WAVES, Wave, oscillator

if TYPE_CHECKING:
    from fxkit_dsp._tremolo import TremoloModule


@attrs.frozen(kw_only=True)
class Tremolo:
    """Move the level up and down.

    The gain is 1 - depth (1 - wave) / 2, from 1 - depth to 1 (Zolzer, DAFX, 2011, section 3.3). With
    `spread` at half a turn the channels take turns: an automatic panner.
    """

    wave: Wave = opt("sine", choices=WAVES, help=WAVE_HELP)

    @classmethod
    def examples(cls) -> Sequence[object]:
        """Return what is worth checking: other waves, too."""
        return (cls(), cls(wave="triangle"), cls(wave="learned"))

    def parameters(self, ctx: BuildContext) -> Sequence[Parameter]:
        """Declare the depth, which may move at every sample, and the oscillator."""
        depth = Parameter(name="depth", low=0.0, high=1.0, default=0.5, help="how far the level falls")
        return (depth, *oscillator(ctx, self.wave, rate=5.0))

    def traits(self, ctx: BuildContext) -> Traits:
        """Declare that each sample depends on itself alone."""
        return Traits(receptive_field=1, macs=3 * ctx.channels)

    def build(self, ctx: BuildContext) -> TremoloModule:
        """Build the module."""
        from fxkit_dsp._tremolo import TremoloModule

        return TremoloModule(ctx.sample_rate, self.wave)
