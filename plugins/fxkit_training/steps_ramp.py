"""The `steps` ramp."""

from __future__ import annotations

import itertools
from collections.abc import Iterator
from typing import TYPE_CHECKING

import attrs

from fxkit.spec import opt
from fxkit_training._ramp import checked

if TYPE_CHECKING:
    from fxkit.context import BuildContext


@attrs.frozen(kw_only=True)
class StepsRamp:
    """Give a loss one weight after the other, each from a given point of the training on."""

    weights: tuple[float, ...] = opt((0.0, 1.0), ge=0, help="the weights; validations take the last")
    at: tuple[float, ...] = opt(
        (0.5,), gt=0, le=1, help="points, as shares of the training, at which the second and the next begin"
    )
    steps: tuple[int, ...] = opt((), unit="steps", ge=1, help="the points in steps, in place of at")

    @classmethod
    def examples(cls) -> tuple[StepsRamp, ...]:
        """Return one whose points are shares, and one whose points are steps."""
        return cls(), cls(weights=(0.0, 0.5, 1.0), steps=(100, 300))

    @property
    def final(self) -> float:
        """Return the last weight."""
        return self.weights[-1]

    def problems(self) -> Iterator[tuple[str, str]]:
        """Yield what is wrong between the options."""
        name, points = ("steps", self.steps) if self.steps else ("at", self.at)
        if len(self.weights) != len(points) + 1:
            wanted = f"{len(points)} points part {len(points) + 1} weights"
            yield "weights", f"has {len(self.weights)} values, and the {wanted}"
        if any(later <= earlier for earlier, later in itertools.pairwise(points)):
            yield name, "does not rise from point to point"

    def build(self, ctx: BuildContext) -> StepsRamp:
        """Build the ramp; raises `ValueError` when the options do not fit together."""
        return checked(self)

    def weight(self, step: int, share: float) -> float:
        """Return the weight in step `step` (from 0), before which `share` of the training was over."""
        passed = (
            sum(step >= point for point in self.steps) if self.steps else sum(share >= p for p in self.at)
        )
        return self.weights[passed]
