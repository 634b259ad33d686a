"""The limiter: nothing passes a ceiling."""

from __future__ import annotations

from collections.abc import Sequence
from typing import TYPE_CHECKING, Literal

import attrs

from fxkit.context import BuildContext
from fxkit.parameter import Parameter
from fxkit.spec import opt
from fxkit.traits import Traits
from fxkit_dsp._dynamics import MACS, decibels, milliseconds

if TYPE_CHECKING:
    from fxkit_dsp._limiter import LimiterModule


@attrs.frozen(kw_only=True)
class Limiter:
    """Keep every sample at or below a ceiling, by a gain that comes down before the peak does.

    The attenuation that each sample needs is held for the look-ahead, released, and averaged over the
    look-ahead: it falls in a straight line and has arrived when the delayed peak comes.
    """

    lookahead: float = opt(2.0, unit="ms", ge=0, le=50, help="how early it sees a peak; its latency")
    link: Literal["max", "none"] = opt(
        "max", choices=("max", "none"), help="attenuation that all channels share; none: each has its own"
    )

    @classmethod
    def examples(cls) -> Sequence[object]:
        """Return settings that differ in every option, to check."""
        return cls(), cls(link="none", lookahead=0.5), cls(lookahead=0.0)

    def parameters(self, ctx: BuildContext) -> Sequence[Parameter]:
        """Declare drive, ceiling and release, which may all move at every sample."""
        return (
            decibels("drive_db", -12.0, 36.0, 0.0, "gain before it"),
            decibels("ceiling_db", -30.0, 0.0, -0.3, "largest magnitude that leaves"),
            milliseconds("release_ms", 1.0, 2500.0, 80.0, "time to come back after a peak"),
        )

    def traits(self, ctx: BuildContext) -> Traits:
        """Declare the look-ahead as latency."""
        return Traits(latency=self.delay(ctx), macs=MACS * ctx.channels)

    def delay(self, ctx: BuildContext) -> int:
        """Return the look-ahead in samples."""
        return round(self.lookahead * ctx.sample_rate / 1000)

    def build(self, ctx: BuildContext) -> LimiterModule:
        """Build the module."""
        from fxkit_dsp._limiter import LimiterModule

        return LimiterModule(ctx.sample_rate, self.delay(ctx), link=self.link)
