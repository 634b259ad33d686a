"""The `concat` conditioning: the condition beside the audio."""

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
class Concat:
    """Let a network read the condition beside the audio, as further input channels.

    The condition may stand or move with every sample, as in Wright, Damskägg, Juvela and Välimäki,
    "Real-time guitar amplifier emulation with deep learning" (2020), section 3.
    """

    size: int = opt(1, ge=1, le=256, help='values of the parameter "condition"')

    def parameters(self, ctx: BuildContext, widths: Sequence[int]) -> tuple[Parameter, ...]:
        """Declare "condition"."""
        return condition_parameters(self.size)

    def joined(self, ctx: BuildContext) -> int:
        """Return one channel for each value."""
        return self.size

    def traits(self, ctx: BuildContext, widths: Sequence[int]) -> ConditioningTraits:
        """Declare no memory; the products are those of the network's first layer."""
        return ConditioningTraits()

    def build(self, ctx: BuildContext, widths: Sequence[int]) -> Conditioning:
        """Build the module."""
        from fxkit_neural._concat import ConcatModule

        return ConcatModule()
