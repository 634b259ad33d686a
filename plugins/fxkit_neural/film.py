"""The `film` conditioning: scales and shifts from the condition."""

from __future__ import annotations

from collections.abc import Sequence
from typing import TYPE_CHECKING

import attrs

from fxkit.spec import opt
from fxkit.traits import ConditioningTraits
from fxkit_neural._condition import condition_parameters

if TYPE_CHECKING:
    from fxkit.context import BuildContext
    from fxkit.parameter import Parameter
    from fxkit.protocols import Conditioning


@attrs.frozen(kw_only=True)
class FiLM:
    """Scale and shift each channel of every layer by what a perceptron makes of the condition.

    Feature-wise linear modulation of Perez, Strub, de Vries, Dumoulin and Courville, "FiLM: visual
    reasoning with a general conditioning layer" (2018), eq. 1 and 2, as Steinmetz and Reiss (2022) have it
    for audio: one perceptron with ReLU after each layer, one linear layer for each layer of the network.
    The condition may stand or move with every sample.

    Their batch normalisation before the modulation is left out: it gives other values while a network
    learns, from the batch, than when it plays.
    """

    size: int = opt(1, ge=1, le=256, help='values of the parameter "condition"')
    hidden: int = opt(32, ge=1, le=1024, help="units per layer of the perceptron")
    layers: int = opt(3, ge=1, le=8, help="layers of the perceptron")
    around_one: bool = opt(
        True, help="scale by 1 more, so that training starts near the plain network; published is false"
    )

    @classmethod
    def presets(cls) -> dict[str, dict[str, object]]:
        """Return the published form."""
        return {"published": {"hidden": 32, "layers": 3, "around_one": False}}

    def parameters(self, ctx: BuildContext, widths: Sequence[int]) -> tuple[Parameter, ...]:
        """Declare "condition"."""
        return condition_parameters(self.size)

    def joined(self, ctx: BuildContext) -> int:
        """Add no channels."""
        return 0

    def traits(self, ctx: BuildContext, widths: Sequence[int]) -> ConditioningTraits:
        """Declare no memory, and the cost of scaling; the rest runs once where the condition stands."""
        return ConditioningTraits(macs=float(sum(widths)))

    def build(self, ctx: BuildContext, widths: Sequence[int]) -> Conditioning:
        """Build the module."""
        from fxkit_neural._film import FiLMModule

        return FiLMModule(widths, self.size, self.hidden, self.layers, around_one=self.around_one)
