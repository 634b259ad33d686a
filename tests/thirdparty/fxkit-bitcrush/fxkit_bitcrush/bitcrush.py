"""The bitcrush processor: fewer samples, fewer bits."""

from __future__ import annotations

from collections.abc import Sequence
from typing import TYPE_CHECKING

import attrs

from fxkit import BuildContext, Parameter, Traits, opt

if TYPE_CHECKING:
    from fxkit_bitcrush._bitcrush import BitcrushModule


@attrs.frozen(kw_only=True)
class Bitcrush:
    """Hold samples and round them to a word length.

    Rounding has no slope, so gradients pass it straight through (Bengio, Léonard and Courville,
    "Estimating or propagating gradients through stochastic neurons", 2013).
    """

    hold: int = opt(1, unit="samples", ge=1, le=1024, help="how long each sample is held; 1 keeps the rate")

    @classmethod
    def examples(cls) -> Sequence[Bitcrush]:
        """Return what the contract tests are to try: every sample taken, and some held."""
        return cls(), cls(hold=3)

    def parameters(self, ctx: BuildContext) -> Sequence[Parameter]:
        """Declare the word length, which may move at every sample and need not be whole."""
        return (Parameter(name="bits", low=1.0, high=16.0, default=8.0, unit="bit", help="word length"),)

    def traits(self, ctx: BuildContext) -> Traits:
        """Declare how far back a hold reaches, and that the gradient is an estimate, not the derivative."""
        return Traits(receptive_field=self.hold, straight_through=True)

    def build(self, ctx: BuildContext) -> BitcrushModule:
        """Build the module."""
        from fxkit_bitcrush._bitcrush import BitcrushModule

        return BitcrushModule(self.hold)
