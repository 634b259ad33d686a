"""The gate: what is quieter than a threshold is shut out."""

from __future__ import annotations

from collections.abc import Sequence
from typing import TYPE_CHECKING

import attrs

from fxkit.context import BuildContext
from fxkit.parameter import Parameter
from fxkit.spec import opt
from fxkit.traits import Traits
from fxkit_dsp._dynamics import LINKS, MACS, Link, decibels, milliseconds, ratio

if TYPE_CHECKING:
    from fxkit_dsp._gate import GateModule


@attrs.frozen(kw_only=True)
class Gate:
    """Shut out what is quieter than a threshold, with hysteresis and hold.

    Opens when the magnitude passes the threshold, and stays open until it has been below the
    threshold less the hysteresis for the hold time. Where it is not open, an expander's curve with a
    high ratio sets the attenuation: through its slope the threshold is learned. Hysteresis and hold act
    by switching, and have no gradient.
    """

    link: Link = opt("max", choices=LINKS, help="level that all channels share; none: each has its own")
    sidechain: bool = opt(False, help='listen to the named input "sidechain" instead of the audio')

    @classmethod
    def examples(cls) -> Sequence[object]:
        """Return settings that differ in every option, to check."""
        return cls(), cls(link="none", sidechain=True)

    def parameters(self, ctx: BuildContext) -> Sequence[Parameter]:
        """Declare static curve and times, which may all move at every sample."""
        hold = Parameter(
            name="hold_ms", low=0.0, high=500.0, default=20.0, unit="ms",
            help="time that it stays open after the level fell; not learned",
        )  # fmt: skip
        return (
            decibels("threshold_db", -90.0, 0.0, -60.0, "level above which it opens"),
            ratio(100.0, 10.0),
            decibels("range_db", 0.0, 100.0, 60.0, "attenuation when shut"),
            decibels("hysteresis_db", 0.0, 24.0, 4.0, "how far below the threshold it shuts; not learned"),
            hold,
            milliseconds("attack_ms", 0.01, 250.0, 0.5, "time to open"),
            milliseconds("release_ms", 1.0, 2500.0, 100.0, "time to shut, after the hold"),
        )

    def traits(self, ctx: BuildContext) -> Traits:
        """Declare a recursion without delay."""
        return Traits(inputs=("sidechain",) if self.sidechain else (), macs=MACS * ctx.channels)

    def build(self, ctx: BuildContext) -> GateModule:
        """Build the module."""
        from fxkit_dsp._gate import GateModule

        return GateModule(ctx.sample_rate, self.link)
