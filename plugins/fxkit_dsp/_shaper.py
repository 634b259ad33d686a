"""What waveshapers of a fixed curve share: their options, parameters and traits."""

from __future__ import annotations

from collections.abc import Sequence

import attrs

from fxkit.context import BuildContext
from fxkit.parameter import Parameter
from fxkit.spec import opt
from fxkit.traits import Traits

ANTIALIAS_HELP = "average the curve between samples, which aliases less and is one sample late"


@attrs.frozen(kw_only=True)
class Shaper:
    """Be the base of waveshapers y = f(g x + b) - f(b) with a drive g and a bias b."""

    lowest_drive: float = opt(-12.0, unit="dB", ge=-120, le=120, help="lowest drive a controller can set")
    highest_drive: float = opt(48.0, unit="dB", ge=-120, le=120, help="highest drive a controller can set")
    antialias: bool = opt(False, help=ANTIALIAS_HELP)

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
        return shaper_traits(self.antialias)


def shaper_traits(antialias: bool) -> Traits:
    """Return the traits of a waveshaper with or without antialiasing."""
    return Traits(latency=1, receptive_field=3) if antialias else Traits(receptive_field=1)
