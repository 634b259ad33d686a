"""The `multi-step` schedule."""

from __future__ import annotations

from typing import TYPE_CHECKING

import attrs

from fxkit.spec import opt

if TYPE_CHECKING:
    import torch

    from fxkit_training._schedule import Schedule


@attrs.frozen(kw_only=True)
class MultiStep:
    """Lower the learning rate by a factor at given points of the run."""

    at: tuple[float, ...] = opt((0.5, 0.75), gt=0, lt=1, help="points, as shares of the run")
    ratio: float = opt(0.1, gt=0, lt=1, help="what the learning rate is multiplied by at each")
    warmup: int = opt(0, unit="steps", ge=0, help="steps over which the learning rate rises first")

    def build(self, optimizer: torch.optim.Optimizer, steps: int | None) -> Schedule:
        """Build the schedule for a run of `steps`, None where time alone limits it."""
        from fxkit_training._schedule import Schedule

        return Schedule(optimizer, steps, self.factor, self.warmup)

    def factor(self, step: int, share: float) -> float:
        """Return the factor `step` steps behind the warm-up, with `share` of the rest over."""
        passed = sum(share >= point for point in self.at)
        return float(self.ratio**passed)
