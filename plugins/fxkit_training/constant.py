"""The `constant` schedule."""

from __future__ import annotations

from typing import TYPE_CHECKING

import attrs

from fxkit.spec import opt
from fxkit_training._warmup import warmed

if TYPE_CHECKING:
    import torch


@attrs.frozen(kw_only=True)
class Constant:
    """Hold the learning rate, after a linear rise if one is asked for."""

    warmup: int = opt(0, unit="steps", ge=0, help="steps over which the learning rate rises")

    def build(self, optimizer: torch.optim.Optimizer, steps: int) -> torch.optim.lr_scheduler.LRScheduler:
        """Build the scheduler."""
        import torch

        return torch.optim.lr_scheduler.LambdaLR(optimizer, self.factor)

    def factor(self, step: int) -> float:
        """Return the factor on the learning rate at `step`, from 0."""
        return warmed(step, self.warmup)
