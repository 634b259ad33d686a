"""The loudness normaliser: brings programme loudness to a target as it goes."""

from __future__ import annotations

from collections.abc import Sequence
from typing import TYPE_CHECKING

import attrs

from fxkit.context import BuildContext
from fxkit.parameter import Parameter
from fxkit.spec import opt
from fxkit.traits import Traits
from fxkit_dsp._dynamics import decibels, milliseconds

if TYPE_CHECKING:
    from fxkit_dsp._loudness_normaliser import LoudnessNormaliserModule


@attrs.frozen(kw_only=True)
class LoudnessNormaliser:
    """Bring the running loudness to a target, without looking ahead.

    Loudness is the K-weighted power of ITU-R BS.1770-4, summed over the channels and averaged
    exponentially. Where the last 400 ms are quieter than the gate the gain stays as it is. It starts at
    no gain.
    """

    gate: float = opt(-70.0, unit="LUFS", ge=-120, le=0, help="quieter passages do not move the gain")

    def parameters(self, ctx: BuildContext) -> Sequence[Parameter]:
        """Declare target, time and range, which may all move at every sample."""
        target = Parameter(
            name="target", low=-48.0, high=-6.0, default=-23.0, unit="LUFS", help="loudness to reach"
        )
        return (
            target,
            milliseconds("time_ms", 50.0, 10000.0, 3000.0, "averaging time of the loudness"),
            decibels("range_db", 0.0, 40.0, 20.0, "largest boost and cut"),
        )

    def traits(self, ctx: BuildContext) -> Traits:
        """Declare a recursion without delay."""
        return Traits(macs=16 * ctx.channels)

    def build(self, ctx: BuildContext) -> LoudnessNormaliserModule:
        """Build the module."""
        from fxkit_dsp._loudness_normaliser import LoudnessNormaliserModule

        return LoudnessNormaliserModule(ctx.sample_rate, self.gate)
