"""The `exponential` schedule."""

from __future__ import annotations

from typing import TYPE_CHECKING

import attrs

from fxkit.spec import opt
from fxkit_training._warmup import warmed

if TYPE_CHECKING:
    import torch


@attrs.frozen(kw_only=True)
class Exponential:
    """Halve the learning rate every so many steps, in equal ratios per step."""

    half_life: int = opt(1000, unit="steps", ge=1, help="steps after which half the learning rate is left")
    warmup: int = opt(0, unit="steps", ge=0, help="steps over which the learning rate rises first")

    def build(self, optimizer: torch.optim.Optimizer, steps: int) -> torch.optim.lr_scheduler.LRScheduler:
        """Build the scheduler."""
        import torch

        return torch.optim.lr_scheduler.LambdaLR(optimizer, self.factor)

    def factor(self, step: int) -> float:
        """Return the factor on the learning rate at `step`, from 0."""
        return float(warmed(step, self.warmup) * 0.5 ** (max(0, step - self.warmup) / self.half_life))
