"""The `cosine` schedule."""

from __future__ import annotations

import math
from functools import partial
from typing import TYPE_CHECKING

import attrs

from fxkit.spec import opt
from fxkit_training._warmup import warmed

if TYPE_CHECKING:
    import torch


@attrs.frozen(kw_only=True)
class Cosine:
    """Lower the learning rate by half a cosine period over the run (Loshchilov and Hutter, 2017)."""

    final: float = opt(0.0, ge=0, le=1, help="share of the learning rate that is left at the last step")
    warmup: int = opt(0, unit="steps", ge=0, help="steps over which the learning rate rises first")

    def build(self, optimizer: torch.optim.Optimizer, steps: int) -> torch.optim.lr_scheduler.LRScheduler:
        """Build the scheduler for a run of `steps`."""
        import torch

        return torch.optim.lr_scheduler.LambdaLR(optimizer, partial(self.factor, steps=steps))

    def factor(self, step: int, steps: int) -> float:
        """Return the factor on the learning rate at `step`, from 0 to `steps` - 1."""
        if step < self.warmup:
            return warmed(step, self.warmup)
        share = min(1.0, (step - self.warmup) / max(1, steps - self.warmup - 1))
        return self.final + (1 - self.final) * (1 + math.cos(math.pi * share)) / 2
