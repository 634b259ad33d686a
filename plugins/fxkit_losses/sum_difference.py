"""The `sum-difference` loss: another loss, on the sum and the difference of two channels."""

from __future__ import annotations

from typing import TYPE_CHECKING, Any

import attrs

from fxkit.spec import opt
from fxkit.traits import LossTraits, loss_traits

if TYPE_CHECKING:
    from fxkit.context import BuildContext
    from fxkit.protocols import Loss


@attrs.frozen(kw_only=True)
class SumDifference:
    """Compare the sum and the difference of the two channels instead of the channels.

    What one channel has and the other lacks weighs as much as what they share, and swapping the
    channels costs (Steinmetz et al., "Automatic multitrack mixing with a differentiable mixing console of
    neural audio effects", ICASSP 2021). Both are divided by the root of 2, which keeps their total power.
    """

    inner: Any = opt(kind="losses", help="the loss that compares sums, and differences")
    difference: float = opt(0.5, ge=0, le=1, help="share of the difference; the sum has the rest")

    def traits(self, ctx: BuildContext) -> LossTraits:
        """Declare what the inner loss declares, for two channels."""
        return attrs.evolve(loss_traits(self.inner, ctx), channels=(2,))

    def build(self, ctx: BuildContext) -> Loss:
        """Build the loss."""
        from fxkit_losses._sum_difference import SumDifferenceModule

        mono = attrs.evolve(ctx, target_channels=1)
        return SumDifferenceModule(self.inner.build(mono), self.difference)
