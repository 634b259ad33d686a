"""The compressor: louder than a threshold is made less loud."""

from __future__ import annotations

from collections.abc import Sequence
from typing import TYPE_CHECKING

import attrs

from fxkit.context import BuildContext
from fxkit.parameter import Parameter
from fxkit.traits import Traits
from fxkit_dsp._dynamics import MACS, Dynamics, compression, share_of_wet

if TYPE_CHECKING:
    from fxkit_dsp._gain_follower import CompressorModule


@attrs.frozen(kw_only=True)
class Compressor(Dynamics):
    """Lower what is louder than a threshold.

    Exact attack and release, peak or RMS detector, hard or soft knee, forward or fed back, after
    Giannoulis, Massberg and Reiss, "Digital dynamic range compressor design", J. Audio Eng. Soc. 2012. Times
    are those in which 1/e of a step is left.
    """

    def parameters(self, ctx: BuildContext) -> Sequence[Parameter]:
        """Declare static curve, times, make-up gain and mix, which may all move at every sample."""
        return (*compression(), share_of_wet(), *self.averaging())

    def traits(self, ctx: BuildContext) -> Traits:
        """Declare a recursion without delay."""
        return Traits(inputs=self.inputs, macs=MACS * ctx.channels)

    def build(self, ctx: BuildContext) -> CompressorModule:
        """Build the module."""
        from fxkit_dsp._gain_follower import CompressorModule
        from fxkit_signal.dynamics import Design

        design = Design(**self.wiring())
        return CompressorModule(ctx.sample_rate, design, self.link)
