"""The `exponential` ramp."""

from __future__ import annotations

from typing import TYPE_CHECKING

import attrs

from fxkit.spec import opt
from fxkit_training._ramp import Moving, checked

if TYPE_CHECKING:
    from fxkit.context import BuildContext


@attrs.frozen(kw_only=True)
class ExponentialRamp(Moving):
    """Move the weight of a loss in equal ratios: a straight line in decibels."""

    start: float = opt(0.01, gt=0, help="weight before it moves")
    final: float = opt(1.0, gt=0, help="weight in the end, and in validations")

    def build(self, ctx: BuildContext) -> ExponentialRamp:
        """Build the ramp; raises `ValueError` when the options do not fit together."""
        return checked(self)

    def weight(self, step: int, share: float) -> float:
        """Return the weight in step `step` (from 0), before which `share` of the training was over."""
        moved = self.moved(step, share)
        return self.final if moved == 1.0 else float(self.start * (self.final / self.start) ** moved)
