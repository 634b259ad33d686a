"""The `one-cycle` schedule."""

from __future__ import annotations

import math
from typing import TYPE_CHECKING

import attrs

from fxkit.spec import opt

if TYPE_CHECKING:
    import torch

    from fxkit_training._schedule import Schedule


@attrs.frozen(kw_only=True)
class OneCycle:
    """Raise the learning rate from a small one, then lower it to next to nothing, in cosines.

    Smith and Topin, "Super-convergence" (2019), in the two-phase form with cosines of the fastai library.
    The optimiser's learning rate is the highest.
    """

    rise: float = opt(0.3, gt=0, lt=1, help="share of the run over which the learning rate rises")
    start: float = opt(0.04, gt=0, le=1, help="learning rate at the start, in highest ones")
    final: float = opt(1e-4, ge=0, le=1, help="learning rate at the end, in highest ones")

    def build(self, optimizer: torch.optim.Optimizer, steps: int | None) -> Schedule:
        """Build the schedule for a run of `steps`, None where time alone limits it."""
        from fxkit_training._schedule import Schedule

        return Schedule(optimizer, steps, self.factor)

    def factor(self, step: int, share: float) -> float:
        """Return the factor with `share` of the run over."""
        if share < self.rise:
            return _eased(self.start, 1.0, share / self.rise)
        return _eased(1.0, self.final, (share - self.rise) / (1.0 - self.rise))


def _eased(begin: float, end: float, place: float) -> float:
    return end + (begin - end) * (1 + math.cos(math.pi * place)) / 2
