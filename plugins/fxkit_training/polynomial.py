"""The `polynomial` schedule."""

from __future__ import annotations

from typing import TYPE_CHECKING

import attrs

from fxkit.spec import opt

if TYPE_CHECKING:
    import torch

    from fxkit_training._schedule import Schedule


@attrs.frozen(kw_only=True)
class Polynomial:
    """Lower the learning rate by a power of what is left of the run: a straight line by default.

    Chen et al., "DeepLab" (2018), section 4.1, uses the power 0.9.
    """

    power: float = opt(1.0, gt=0, le=10, help="power of what is left; 1 is a straight line")
    final: float = opt(0.0, ge=0, le=1, help="share of the learning rate that is left at the end")
    warmup: int = opt(0, unit="steps", ge=0, help="steps over which the learning rate rises first")

    def build(self, optimizer: torch.optim.Optimizer, steps: int | None) -> Schedule:
        """Build the schedule for a run of `steps`, None where time alone limits it."""
        from fxkit_training._schedule import Schedule

        return Schedule(optimizer, steps, self.factor, self.warmup)

    def factor(self, step: int, share: float) -> float:
        """Return the factor `step` steps behind the warm-up, with `share` of the rest over."""
        return float(self.final + (1 - self.final) * (1 - share) ** self.power)
