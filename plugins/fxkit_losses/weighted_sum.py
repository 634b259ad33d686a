"""The `weighted-sum` loss: several losses as one."""

from __future__ import annotations

from collections.abc import Iterator
from typing import TYPE_CHECKING, Any

import attrs

from fxkit.spec import opt
from fxkit.traits import LossTraits, loss_traits

if TYPE_CHECKING:
    from fxkit.context import BuildContext
    from fxkit.protocols import Loss


@attrs.frozen(kw_only=True)
class WeightedSum:
    """Add several losses up, each with its weight: one term to a schedule, a wrapper or a metric."""

    terms: tuple[Any, ...] = opt(kind="losses", help="the losses")
    weights: tuple[float, ...] = opt((), ge=0, help="the weight of each; 1 for all when absent")

    @classmethod
    def examples(cls) -> tuple[WeightedSum, ...]:
        """Return a sum of two losses, with weights and without."""
        from fxkit_losses.esr import ESR
        from fxkit_losses.l1 import L1

        both = (L1(), ESR())
        return cls(terms=both, weights=(0.5, 2.0)), cls(terms=both)

    def problems(self) -> Iterator[tuple[str, str]]:
        """Yield what is wrong between the options."""
        if not self.terms:
            yield "terms", "is empty; name at least one loss"
        if self.weights and len(self.weights) != len(self.terms):
            yield "weights", f"has {len(self.weights)} values for {len(self.terms)} terms; give one for each"
        if self.weights and not any(self.weights):
            yield "weights", "are all 0; let one of the terms weigh"

    def traits(self, ctx: BuildContext) -> LossTraits:
        """Declare what all terms together need."""
        parts = [loss_traits(term, ctx) for term in self.terms]
        channels = [set(part.channels) for part in parts if part.channels is not None]
        return LossTraits(
            distance=all(part.distance for part in parts),
            uses=tuple(sorted({name for part in parts for name in part.uses})),
            terms=tuple(sorted({name for part in parts for name in part.terms})),
            least_samples=max((part.least_samples for part in parts), default=1),
            channels=tuple(sorted(set.intersection(*channels))) if channels else None,
        )

    def build(self, ctx: BuildContext) -> Loss:
        """Build the loss; raises `ValueError` when the options do not fit together."""
        for name, text in self.problems():
            raise ValueError(f"{name} {text}")
        from fxkit_losses._weighted_sum import WeightedSumModule

        weights = self.weights or (1.0,) * len(self.terms)
        return WeightedSumModule([term.build(ctx) for term in self.terms], weights)
