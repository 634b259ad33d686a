"""The gain processor: multiply by a level in decibels."""

from __future__ import annotations

from collections.abc import Sequence
from typing import TYPE_CHECKING

import attrs

from fxkit.context import BuildContext
from fxkit.parameter import Parameter
from fxkit.spec import opt
from fxkit.traits import Traits

if TYPE_CHECKING:
    from fxkit_dsp._gain import GainModule


@attrs.frozen(kw_only=True)
class Gain:
    """Change the level."""

    low: float = opt(-24.0, unit="dB", ge=-120, le=120, help="lowest gain a controller can set")
    high: float = opt(24.0, unit="dB", ge=-120, le=120, help="highest gain a controller can set")

    def parameters(self, ctx: BuildContext) -> Sequence[Parameter]:
        """Declare the gain, which may move at every sample."""
        default = min(max(0.0, self.low), self.high)
        gain = Parameter(
            name="gain_db", low=self.low, high=self.high, default=default, unit="dB", help="change of level"
        )
        return (gain,)

    def traits(self, ctx: BuildContext) -> Traits:
        """Declare that each sample depends on itself alone."""
        return Traits(receptive_field=1, macs=ctx.channels)

    def build(self, ctx: BuildContext) -> GainModule:
        """Build the module."""
        from fxkit_dsp._gain import GainModule

        return GainModule()
