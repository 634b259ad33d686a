"""The `linear` ramp."""

from __future__ import annotations

from typing import TYPE_CHECKING

import attrs

from fxkit_training._ramp import Moving, checked

if TYPE_CHECKING:
    from fxkit.context import BuildContext


@attrs.frozen(kw_only=True)
class LinearRamp(Moving):
    """Move the weight of a loss in a straight line."""

    def build(self, ctx: BuildContext) -> LinearRamp:
        """Build the ramp; raises `ValueError` when the options do not fit together."""
        return checked(self)

    def weight(self, step: int, share: float) -> float:
        """Return the weight in step `step` (from 0), before which `share` of the training was over."""
        return self.between(self.moved(step, share))
