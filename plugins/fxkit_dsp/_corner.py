"""The options that filters with a corner or centre frequency share."""

from __future__ import annotations

from collections.abc import Iterator

import attrs

from fxkit.context import BuildContext
from fxkit.parameter import Parameter
from fxkit.spec import opt
from fxkit.traits import Traits

# Above this share of the sample rate the bilinear transform squeezes a band to nothing.
HIGHEST_SHARE = 0.45
# Q of a second-order Butterworth filter: no resonance, the flattest pass band.
FLAT_Q = 2**-0.5


@attrs.frozen(kw_only=True)
class Corner:
    """Hold the range of a filter's frequency."""

    lowest: float = opt(20.0, unit="Hz", gt=0, help="lowest frequency that a controller can set")
    highest: float = opt(
        20000.0, unit="Hz", gt=0, help="highest frequency; at most 0.45 of the sample rate is used"
    )

    def problems(self) -> Iterator[tuple[str, str]]:
        """Refuse a range that is empty."""
        if self.lowest >= self.highest:
            yield "lowest", f"{self.lowest:g} Hz is not below highest = {self.highest:g} Hz"

    @property
    def sections(self) -> int:
        """Return the number of second-order sections."""
        return 1

    def traits(self, ctx: BuildContext) -> Traits:
        """Declare a recursive filter without delay."""
        return Traits(macs=5 * self.sections * ctx.channels)

    def frequency(self, ctx: BuildContext, start: float, help: str) -> Parameter:
        """Declare the frequency, near `start` where the range allows it."""
        top = min(self.highest, HIGHEST_SHARE * ctx.sample_rate)
        return Parameter(
            name="frequency", low=self.lowest, high=top, default=within(start, self.lowest, top),
            unit="Hz", mapping="log", rate="control", help=help,
        )  # fmt: skip


@attrs.frozen(kw_only=True)
class Resonant(Corner):
    """Hold the ranges of a filter's frequency and Q."""

    lowest_q: float = opt(0.1, gt=0, help="smallest Q that a controller can set")
    highest_q: float = opt(10.0, gt=0, help="largest Q")

    def problems(self) -> Iterator[tuple[str, str]]:
        """Refuse ranges that are empty."""
        yield from super().problems()
        if self.lowest_q >= self.highest_q:
            yield "lowest_q", f"{self.lowest_q:g} is not below highest_q = {self.highest_q:g}"

    def q(self, start: float, help: str) -> Parameter:
        """Declare the Q."""
        return Parameter(
            name="q", low=self.lowest_q, high=self.highest_q,
            default=within(start, self.lowest_q, self.highest_q), mapping="log", rate="control", help=help,
        )  # fmt: skip


@attrs.frozen(kw_only=True)
class Boosting(Resonant):
    """Hold the ranges of a filter's frequency, gain and Q."""

    gain_range: float = opt(18.0, unit="dB", gt=0, le=60, help="largest boost and cut")

    def gain(self, help: str) -> Parameter:
        """Declare the gain, which starts at none."""
        return Parameter(
            name="gain_db", low=-self.gain_range, high=self.gain_range, default=0.0, unit="dB",
            rate="control", help=help,
        )  # fmt: skip


def within(value: float, low: float, high: float) -> float:
    """Return `value`, or the end of the range that is nearest to it."""
    return min(max(value, low), high)
