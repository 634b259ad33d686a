"""The `bit-reduction` processor: quantise to a word length."""

from __future__ import annotations

from collections.abc import Sequence
from typing import TYPE_CHECKING, Literal

import attrs

from fxkit.context import BuildContext
from fxkit.parameter import Parameter
from fxkit.spec import opt
from fxkit.traits import Traits

if TYPE_CHECKING:
    from fxkit_dsp._bit_reduction import BitReductionModule


@attrs.frozen(kw_only=True)
class BitReduction:
    """Quantise to a word length, which need not be whole.

    Steps are 2^(1 - bits) of full scale; there is no dither and no clipping. Gradients pass the rounding
    straight through (Bengio, Léonard and Courville, 2013).
    """

    steps: Literal["mid-tread", "mid-rise"] = opt(
        "mid-tread", choices=("mid-tread", "mid-rise"), help="whether zero is a level or an edge between two"
    )

    @classmethod
    def examples(cls) -> tuple[BitReduction, ...]:
        """Return variants that are worth checking beside the defaults."""
        return (cls(steps="mid-rise"),)

    def parameters(self, ctx: BuildContext) -> Sequence[Parameter]:
        """Declare the word length, which may move at every sample."""
        return (Parameter(name="bits", low=1.0, high=24.0, default=16.0, unit="bit", help="word length"),)

    def traits(self, ctx: BuildContext) -> Traits:
        """Declare a shaper whose gradient is an estimate, not the derivative."""
        return Traits(receptive_field=1, differentiable=False, straight_through=True, macs=2 * ctx.channels)

    def build(self, ctx: BuildContext) -> BitReductionModule:
        """Build the module."""
        from fxkit_dsp._bit_reduction import BitReductionModule

        return BitReductionModule(self.steps == "mid-rise")
