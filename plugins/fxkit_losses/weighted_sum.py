"""The `weighted-sum` loss: several losses as one."""

from __future__ import annotations

import re
from collections.abc import Iterator
from typing import TYPE_CHECKING, Any

import attrs

from fxkit.spec import opt
from fxkit.traits import LossTraits, loss_traits

if TYPE_CHECKING:
    from fxkit.context import BuildContext
    from fxkit.protocols import Loss


# Where a capital begins a word in the name of a class.
_BORDER = re.compile(r"(?<=[a-z0-9])(?=[A-Z])|(?<=[A-Z])(?=[A-Z][a-z])")


@attrs.frozen(kw_only=True)
class WeightedSum:
    """Add several losses up, each with its weight: one term to a schedule, a wrapper or a metric."""

    terms: tuple[Any, ...] = opt(kind="losses", help="the losses")
    weights: tuple[float, ...] = opt((), ge=0, help="the weight of each; 1 for all when absent")
    names: tuple[str, ...] = opt((), help="what each is called in records; by what it is when absent")

    @classmethod
    def examples(cls) -> tuple[WeightedSum, ...]:
        """Return a sum of two losses, with weights and without."""
        from fxkit_losses.esr import ESR
        from fxkit_losses.l1 import L1

        both = (L1(), ESR())
        return cls(terms=both, weights=(0.5, 2.0)), cls(terms=both, names=("absolute", "relative"))

    def problems(self) -> Iterator[tuple[str, str]]:
        """Yield what is wrong between the options."""
        if not self.terms:
            yield "terms", "is empty; name at least one loss"
        if self.weights and len(self.weights) != len(self.terms):
            yield "weights", f"has {len(self.weights)} values for {len(self.terms)} terms; give one for each"
        if self.names and len(self.names) != len(self.terms):
            yield "names", f"has {len(self.names)} values for {len(self.terms)} terms; give one for each"
        if len(set(self.names)) != len(self.names):
            yield "names", "has one name twice"
        if self.weights and not any(self.weights):
            yield "weights", "are all 0; let one of the terms weigh"

    def traits(self, ctx: BuildContext) -> LossTraits:
        """Declare what all terms together need."""
        parts = [loss_traits(term, ctx) for term in self.terms]
        channels = [set(part.channels) for part in parts if part.channels is not None]
        return LossTraits(
            distance=all(part.distance for part in parts),
            sign_blind=all(part.sign_blind for part in parts if part.distance),
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
        built = [term.build(ctx) for term in self.terms]
        return WeightedSumModule(self.names or self._usual_names(), built, weights)

    def _usual_names(self) -> tuple[str, ...]:
        """Return the classes of the terms, such as "multi-resolution-stft", the second of a class with -2."""
        found: list[str] = []
        for term in self.terms:
            name = _BORDER.sub("-", type(term).__name__).lower()
            count = sum(one == name or one.startswith(f"{name}-") for one in found)
            found.append(f"{name}-{count + 1}" if name in found else name)
        return tuple(found)
