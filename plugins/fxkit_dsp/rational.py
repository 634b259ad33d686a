"""The `rational` processor: a learned curve that is a quotient of polynomials."""

from __future__ import annotations

from collections.abc import Sequence
from typing import TYPE_CHECKING, Literal

import attrs

from fxkit.context import BuildContext
from fxkit.parameter import Parameter
from fxkit.spec import opt
from fxkit.traits import Traits

if TYPE_CHECKING:
    from fxkit_dsp._rational import RationalModule


@attrs.frozen(kw_only=True)
class Rational:
    """Shape each sample by a learned quotient of polynomials without poles.

    The output is P(x) / (1 + |S(x)|), or P(x) / (1 + S(x)^2), without constants in P and S, so that
    silence stays silent (Molina, Schramowski and Kersting, "Padé activation units", ICLR 2020). Training
    starts from the identity or from the least-squares fit of tanh on [-4, 4].
    """

    numerator: int = opt(5, ge=1, le=8, help="highest power of the numerator P")
    denominator: int = opt(4, ge=1, le=8, help="highest power of S in the denominator")
    guard: Literal["absolute", "square"] = opt(
        "absolute", choices=("absolute", "square"), help="how the denominator is kept from vanishing"
    )
    start: Literal["identity", "tanh"] = opt(
        "tanh", choices=("identity", "tanh"), help="curve at the start of training"
    )

    @classmethod
    def examples(cls) -> tuple[Rational, ...]:
        """Return variants that are worth checking beside the defaults."""
        return cls(guard="square"), cls(start="identity", numerator=3, denominator=3)

    def parameters(self, ctx: BuildContext) -> Sequence[Parameter]:
        """Declare that nothing is set from outside."""
        return ()

    def traits(self, ctx: BuildContext) -> Traits:
        """Declare a shaper that reads one sample per sample."""
        return Traits(receptive_field=1, macs=(self.numerator + self.denominator) * ctx.channels)

    def build(self, ctx: BuildContext) -> RationalModule:
        """Build the module."""
        from fxkit_dsp._rational import RationalModule

        return RationalModule(self.numerator, self.denominator, self.guard, self.start)
