"""The `step-decay` schedule."""

from __future__ import annotations

from typing import TYPE_CHECKING

import attrs

from fxkit.spec import opt

if TYPE_CHECKING:
    import torch

    from fxkit_training._schedule import Schedule


@attrs.frozen(kw_only=True)
class StepDecay:
    """Lower the learning rate by a factor every so many steps."""

    every: int = opt(1000, unit="steps", ge=1, help="steps between two falls")
    ratio: float = opt(0.5, gt=0, lt=1, help="what the learning rate is multiplied by at each")
    warmup: int = opt(0, unit="steps", ge=0, help="steps over which the learning rate rises first")

    def build(self, optimizer: torch.optim.Optimizer, steps: int | None) -> Schedule:
        """Build the schedule for a run of `steps`, None where time alone limits it."""
        from fxkit_training._schedule import Schedule

        return Schedule(optimizer, steps, self.factor, self.warmup)

    def factor(self, step: int, share: float) -> float:
        """Return the factor `step` steps behind the warm-up, with `share` of the rest over."""
        return float(self.ratio ** (step // self.every))
