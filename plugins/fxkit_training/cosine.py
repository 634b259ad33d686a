"""The `cosine` schedule."""

from __future__ import annotations

import math
from typing import TYPE_CHECKING

import attrs

from fxkit.spec import opt

if TYPE_CHECKING:
    import torch

    from fxkit_training._schedule import Schedule


@attrs.frozen(kw_only=True)
class Cosine:
    """Lower the learning rate by half a cosine period over the run (Loshchilov and Hutter, 2017)."""

    final: float = opt(0.0, ge=0, le=1, help="share of the learning rate that is left at the end")
    warmup: int = opt(0, unit="steps", ge=0, help="steps over which the learning rate rises first")

    def build(self, optimizer: torch.optim.Optimizer, steps: int | None) -> Schedule:
        """Build the schedule for a run of `steps`, None where time alone limits it."""
        from fxkit_training._schedule import Schedule

        return Schedule(optimizer, steps, self.factor, self.warmup)

    def factor(self, step: int, share: float) -> float:
        """Return the factor `step` steps behind the warm-up, with `share` of the rest over."""
        return self.final + (1 - self.final) * (1 + math.cos(math.pi * share)) / 2
