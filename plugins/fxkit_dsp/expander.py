"""The expander: quieter than a threshold is made quieter still."""

from __future__ import annotations

from collections.abc import Sequence
from typing import TYPE_CHECKING

import attrs

from fxkit.context import BuildContext
from fxkit.parameter import Parameter
from fxkit.traits import Traits
from fxkit_dsp._dynamics import MACS, Dynamics, decibels, milliseconds, ratio

if TYPE_CHECKING:
    from fxkit_dsp._gain_follower import GainFollower


@attrs.frozen(kw_only=True)
class Expander(Dynamics):
    """Lower what is quieter than a threshold, by at most a range.

    The static curve is a compressor's, mirrored (Giannoulis, Massberg and Reiss, J. Audio Eng. Soc.
    2012); the attack is the time of opening, the release that of closing.
    """

    def parameters(self, ctx: BuildContext) -> Sequence[Parameter]:
        """Declare static curve and times, which may all move at every sample."""
        return (
            decibels("threshold_db", -90.0, 0.0, -50.0, "level below which it acts"),
            ratio(20.0, 2.0),
            decibels("knee_db", 0.0, 24.0, 6.0, "range of levels over which it sets in"),
            decibels("range_db", 0.0, 100.0, 40.0, "largest attenuation"),
            milliseconds("attack_ms", 0.01, 250.0, 1.0, "time to open"),
            milliseconds("release_ms", 1.0, 2500.0, 100.0, "time to close"),
            *self.averaging(),
        )

    def traits(self, ctx: BuildContext) -> Traits:
        """Declare a recursion without delay."""
        return Traits(inputs=self.inputs, macs=MACS * ctx.channels)

    def build(self, ctx: BuildContext) -> GainFollower:
        """Build the module."""
        from fxkit_dsp._gain_follower import GainFollower
        from fxkit_signal.dynamics import Design

        design = Design(**self.wiring(expands=True))
        return GainFollower(ctx.sample_rate, design, self.link)
