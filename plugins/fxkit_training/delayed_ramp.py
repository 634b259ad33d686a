"""The `delayed` ramp."""

from __future__ import annotations

from typing import TYPE_CHECKING

import attrs

from fxkit.spec import opt

if TYPE_CHECKING:
    from fxkit.context import BuildContext


@attrs.frozen(kw_only=True)
class DelayedRamp:
    """Switch the weight of a loss at one point of the training, as from nothing to all of it."""

    start: float = opt(0.0, ge=0, help="weight before that point")
    final: float = opt(1.0, ge=0, help="weight from there on, and in validations")
    begin: float = opt(0.1, ge=0, le=1, help="the point, as a share of the training")
    after: int | None = opt(None, unit="steps", ge=0, help="the point in steps, in place of begin")

    def build(self, ctx: BuildContext) -> DelayedRamp:
        """Build the ramp."""
        return self

    def weight(self, step: int, share: float) -> float:
        """Return the weight in step `step` (from 0), before which `share` of the training was over."""
        there = share >= self.begin if self.after is None else step >= self.after
        return self.final if there else self.start
