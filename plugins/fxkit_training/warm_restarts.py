"""The `warm-restarts` schedule."""

from __future__ import annotations

import math
from typing import TYPE_CHECKING

import attrs

from fxkit.spec import opt

if TYPE_CHECKING:
    import torch

    from fxkit_training._schedule import Schedule


@attrs.frozen(kw_only=True)
class WarmRestarts:
    """Lower the learning rate by half a cosine several times, each time from the top again.

    Loshchilov and Hutter, "SGDR: stochastic gradient descent with warm restarts" (2017), equation 5.
    """

    cycles: int = opt(4, ge=1, le=1000, help="falls over the run")
    growth: float = opt(1.0, ge=1, le=10, help="length of each fall, in lengths of the one before")
    final: float = opt(0.0, ge=0, le=1, help="share of the learning rate that is left at the end of each")
    warmup: int = opt(0, unit="steps", ge=0, help="steps over which the learning rate rises first")

    def build(self, optimizer: torch.optim.Optimizer, steps: int | None) -> Schedule:
        """Build the schedule for a run of `steps`, None where time alone limits it."""
        from fxkit_training._schedule import Schedule

        return Schedule(optimizer, steps, self.factor, self.warmup)

    def factor(self, step: int, share: float) -> float:
        """Return the factor `step` steps behind the warm-up, with `share` of the rest over."""
        lengths = [self.growth**cycle for cycle in range(self.cycles)]
        place, end = share * sum(lengths), 0.0
        for number, length in enumerate(lengths):
            end += length
            if place < end or number + 1 == self.cycles:
                inside = min(1.0, 1.0 - (end - place) / length)
                return self.final + (1 - self.final) * (1 + math.cos(math.pi * inside)) / 2
        raise AssertionError
