"""The `state-variable-filter`: low, band and high outputs of one circuit, in any mix."""

from __future__ import annotations

from collections.abc import Sequence
from typing import TYPE_CHECKING, Literal

import attrs

from fxkit.context import BuildContext
from fxkit.parameter import Parameter
from fxkit.spec import opt
from fxkit.traits import Traits
from fxkit_dsp._corner import FLAT_Q, Resonant

if TYPE_CHECKING:
    from fxkit_dsp._state_variable_filter import StateVariableFilterModule

# Weights of the low-pass, the band-pass at 0 dB and the high-pass; all three together are the input.
MIXES: dict[str, tuple[float, float, float]] = {
    "low": (1, 0, 0),
    "band": (0, 1, 0),
    "high": (0, 0, 1),
    "notch": (1, 0, 1),
    "peak": (1, 0, -1),
    "all-pass": (1, -1, 1),
}


@attrs.frozen(kw_only=True)
class StateVariableFilter(Resonant):
    """Filter with a second-order circuit whose frequency and Q can move at every sample.

    Trapezoidal integrators without a delay in the loop (Zavalishin, The Art of VA Filter Design, 2012):
    its states are those of the analogue filter, so that fast sweeps stay clean.
    """

    output: Literal["low", "band", "high", "notch", "peak", "all-pass", "mix"] = opt(
        "low", help='which filter; "mix" leaves the weights of low, band and high to a controller'
    )

    @classmethod
    def examples(cls) -> Sequence[object]:
        """Return one filter and the mix to check."""
        return cls(), cls(output="mix")

    def parameters(self, ctx: BuildContext) -> Sequence[Parameter]:
        """Declare what may move at every sample; a mix starts as the input itself."""
        corner = (
            attrs.evolve(self.frequency(ctx, 2000.0, "corner or centre"), rate="sample"),
            attrs.evolve(self.q(FLAT_Q, "resonance; 0.71 is flat"), rate="sample"),
        )
        if self.output != "mix":
            return corner
        weights = (
            Parameter(name=name, low=-2.0, high=2.0, default=1.0, help=f"weight of the {name}-pass")
            for name in ("low", "band", "high")
        )
        return (*corner, *weights)

    def traits(self, ctx: BuildContext) -> Traits:
        """Declare a recursive filter without delay."""
        return Traits(macs=12 * ctx.channels)

    def build(self, ctx: BuildContext) -> StateVariableFilterModule:
        """Build the module."""
        from fxkit_dsp._state_variable_filter import StateVariableFilterModule

        return StateVariableFilterModule(ctx.sample_rate, MIXES.get(self.output))
