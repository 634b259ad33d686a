"""The `plateau` schedule."""

from __future__ import annotations

from typing import TYPE_CHECKING

import attrs

from fxkit.spec import opt

if TYPE_CHECKING:
    import torch

    from fxkit_training._plateau import PlateauSchedule


@attrs.frozen(kw_only=True)
class Plateau:
    """Lower the learning rate when validations no longer get better.

    What counts is the metric that `train.best` names. A value is better when it is below the best one, or
    above it for a metric of which more is better, by more than `min_delta` of that one's size.
    """

    ratio: float = opt(0.5, gt=0, lt=1, help="what the learning rate is multiplied by at each fall")
    patience: int = opt(5, unit="validations", ge=1, help="validations without a better value before a fall")
    min_delta: float = opt(0.0, ge=0, lt=1, help="least gain that counts, as a share of the best value")
    lowest: float = opt(1e-4, ge=0, lt=1, help="least share of the learning rate")
    warmup: int = opt(0, unit="steps", ge=0, help="steps over which the learning rate rises first")

    def build(self, optimizer: torch.optim.Optimizer, steps: int | None) -> PlateauSchedule:
        """Build the schedule."""
        from fxkit_training._plateau import PlateauSchedule

        return PlateauSchedule(optimizer, steps, self)
