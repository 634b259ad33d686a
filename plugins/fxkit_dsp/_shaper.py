"""What waveshapers of a fixed curve share: their options, parameters and traits."""

from __future__ import annotations

from collections.abc import Sequence

import attrs

from fxkit.context import BuildContext
from fxkit.parameter import Parameter
from fxkit.spec import opt
from fxkit.traits import Traits

# An exponential function is some ten multiplications.
CURVE_MACS = 12
ANTIALIAS_HELP = "average the curve between samples, which aliases less and is one sample late"


@attrs.frozen(kw_only=True)
class Shaper:
    """Be the base of waveshapers y = f(g x + b) - f(b) with a drive g and a bias b."""

    lowest_drive: float = opt(-12.0, unit="dB", ge=-120, le=120, help="lowest drive a controller can set")
    highest_drive: float = opt(48.0, unit="dB", ge=-120, le=120, help="highest drive a controller can set")
    antialias: bool = opt(False, help=ANTIALIAS_HELP)

    @classmethod
    def examples(cls) -> tuple[Shaper, ...]:
        """Return variants that are worth checking beside the defaults."""
        return (cls(antialias=True),)

    def parameters(self, ctx: BuildContext) -> Sequence[Parameter]:
        """Declare drive and bias, which may move at every sample."""
        drive = min(max(0.0, self.lowest_drive), self.highest_drive)
        return (
            Parameter(
                name="drive_db", low=self.lowest_drive, high=self.highest_drive, default=drive, unit="dB",
                help="gain before the curve",
            ),
            Parameter(name="bias", low=-1.0, high=1.0, default=0.0, help="offset between gain and curve"),
        )  # fmt: skip

    def traits(self, ctx: BuildContext) -> Traits:
        """Declare a shaper that reads one sample per sample, or three when it antialiases."""
        return shaper_traits(ctx, self.antialias)


def shaper_traits(ctx: BuildContext, antialias: bool, macs: int = CURVE_MACS) -> Traits:
    """Return the traits of a waveshaper with or without antialiasing, whose curve costs `macs`."""
    if antialias:
        return Traits(latency=1, receptive_field=3, macs=5 * macs * ctx.channels)
    return Traits(receptive_field=1, macs=macs * ctx.channels)
