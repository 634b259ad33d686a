"""The `tone-stack` processor: the bass, middle and treble network of guitar amplifiers."""

from __future__ import annotations

from collections.abc import Sequence
from typing import TYPE_CHECKING, Literal

import attrs

from fxkit.context import BuildContext
from fxkit.parameter import Parameter
from fxkit.spec import opt
from fxkit.traits import Traits
from fxkit_dsp._circuit import component

if TYPE_CHECKING:
    from fxkit_dsp._sections import SectionsModule

# Treble, bass and middle pot, slope resistor in kohm; treble, bass and middle capacitor in nF.
CIRCUITS = {
    "bassman": (250.0, 1000.0, 25.0, 56.0, 0.25, 20.0, 20.0),
    "twin": (250.0, 250.0, 10.0, 100.0, 0.12, 100.0, 47.0),
    "jcm800": (220.0, 1000.0, 22.0, 33.0, 0.47, 22.0, 22.0),
}
# Components stay within this factor of their nominal values.
TOLERANCE = 4.0


@attrs.frozen(kw_only=True)
class ToneStack:
    """Shape the spectrum by the passive tone network of a guitar amplifier.

    Three pots and the values of all components, which start at a known circuit's (Yeh and Smith,
    "Discretization of the '59 Fender Bassman tone stack", DAFx-06); the transfer function is designed in
    float64 and run as recursive sections. The network loses some 10 dB, as it does in the amplifier.
    """

    circuit: Literal["bassman", "twin", "jcm800"] = opt(
        "bassman", choices=tuple(CIRCUITS), help="whose component values to start from"
    )

    @classmethod
    def examples(cls) -> tuple[ToneStack, ...]:
        """Return variants that are worth checking beside the defaults."""
        return (cls(circuit="jcm800"),)

    def parameters(self, ctx: BuildContext) -> Sequence[Parameter]:
        """Declare the pots, which may move, and the components."""
        pots = (
            Parameter(name=name, low=0.0, high=1.0, default=0.5, rate="control", help=f"{name} pot, 0 to 1")
            for name in ("bass", "middle", "treble")
        )
        told = (
            ("r1", "treble pot"), ("r2", "bass pot"), ("r3", "middle pot"), ("r4", "slope resistor"),
            ("c1", "treble capacitor"), ("c2", "bass capacitor"), ("c3", "middle capacitor"),
        )  # fmt: skip
        parts = (
            component(
                name, value / TOLERANCE, value * TOLERANCE, value, "kohm" if name[0] == "r" else "nF", help
            )
            for (name, help), value in zip(told, CIRCUITS[self.circuit], strict=True)
        )
        return (*pots, *parts)

    def traits(self, ctx: BuildContext) -> Traits:
        """Declare a recursive filter without delay."""
        return Traits(macs=10 * ctx.channels)

    def build(self, ctx: BuildContext) -> SectionsModule:
        """Build the module."""
        from fxkit_dsp._sections import SectionsModule
        from fxkit_dsp._tone_stack import PARTS, POTS, design

        return SectionsModule(ctx, design, (*POTS, *PARTS))
