"""The `early-stopping` callback: end a run that no longer gets better."""

from __future__ import annotations

from typing import TYPE_CHECKING

import attrs

from fxkit.spec import opt

if TYPE_CHECKING:
    from fxkit.context import BuildContext
    from fxkit_callbacks._stopper import Stopper


@attrs.frozen(kw_only=True)
class EarlyStopping:
    """End the training when a validation metric has not become better for some validations.

    A value counts as better when it is below the best one so far, or above it for a metric of which more is
    better, by more than `min_delta` of that one's size; a value that is not a number never is.
    """

    metric: str = opt(
        "loss", refers="metric", help='a loss or metric of the experiment, or "loss", the weighted total'
    )
    patience: int = opt(10, unit="validations", ge=1, help="validations in a row without a better value")
    min_delta: float = opt(0.0, ge=0, lt=1, help="least gain that counts, as a share of the best value")

    def build(self, ctx: BuildContext) -> Stopper:
        """Build the callback."""
        from fxkit_callbacks._stopper import Stopper

        return Stopper(self.metric, self.patience, self.min_delta)
