"""The `ladder-filter`: the low-pass of early synthesizers."""

from __future__ import annotations

from collections.abc import Sequence
from typing import TYPE_CHECKING, Literal

import attrs

from fxkit.context import BuildContext
from fxkit.parameter import Parameter
from fxkit.spec import opt
from fxkit.traits import Traits
from fxkit_dsp._corner import Corner

if TYPE_CHECKING:
    from fxkit_dsp._ladder_filter import LadderFilterModule

# Weights of what enters the first stage and of what leaves each of the four. Differences of the stages
# make other shapes: with p = 1 / (1 + s), 1 - p is a first-order high-pass and 2 p (1 - p) a band-pass.
MIXES: dict[str, tuple[float, ...]] = {
    "low-6": (0, 1, 0, 0, 0),
    "low-12": (0, 0, 1, 0, 0),
    "low-18": (0, 0, 0, 1, 0),
    "low-24": (0, 0, 0, 0, 1),
    "band-6": (0, 2, -2, 0, 0),
    "band-12": (0, 0, 4, -8, 4),
    "high-12": (1, -2, 1, 0, 0),
    "high-24": (1, -4, 6, -4, 1),
}


@attrs.frozen(kw_only=True)
class LadderFilter(Corner):
    """Filter with a transistor ladder, which resonates up to whistling.

    Four one-pole stages in a loop without delay (Zavalishin, The Art of VA Filter Design, 2012), every
    parameter free at every sample. The loop's input saturates as tanh; a saturated ladder makes new
    harmonics, so run it oversampled where that matters.
    """

    output: Literal["low-6", "low-12", "low-18", "low-24", "band-6", "band-12", "high-12", "high-24"] = opt(
        "low-24", help="which filter; the number is its slope in dB per octave"
    )
    saturation: bool = opt(True, help="saturate, as transistors do; without it the filter is linear")

    @classmethod
    def examples(cls) -> Sequence[object]:
        """Return a saturated and a linear ladder to check."""
        return cls(), cls(saturation=False, output="high-12")

    def parameters(self, ctx: BuildContext) -> Sequence[Parameter]:
        """Declare what may move at every sample; without saturation there is no drive."""
        # A linear ladder at a resonance of 1 would ring for ever.
        top = 1.1 if self.saturation else 0.98
        found = (
            attrs.evolve(self.frequency(ctx, 5000.0, "corner, where the resonance is"), rate="sample"),
            Parameter(name="resonance", low=0.0, high=top, default=0.1, help="1 whistles by itself"),
            Parameter(
                name="drive_db", low=-24.0, high=36.0, default=0.0, unit="dB",
                help="level at the saturation, taken back behind it",
            ),
        )  # fmt: skip
        return found if self.saturation else found[:2]

    def traits(self, ctx: BuildContext) -> Traits:
        """Declare a recursive filter without delay; a saturation counts as four steps of Newton's method."""
        return Traits(macs=(20 + 32 * self.saturation) * ctx.channels)

    def build(self, ctx: BuildContext) -> LadderFilterModule:
        """Build the module."""
        from fxkit_dsp._ladder_filter import LadderFilterModule

        return LadderFilterModule(ctx.sample_rate, MIXES[self.output], self.saturation)
