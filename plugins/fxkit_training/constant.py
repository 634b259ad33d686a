"""The `constant` schedule."""

from __future__ import annotations

from typing import TYPE_CHECKING

import attrs

from fxkit.spec import opt

if TYPE_CHECKING:
    import torch

    from fxkit_training._schedule import Schedule


@attrs.frozen(kw_only=True)
class Constant:
    """Hold the learning rate, after a linear rise if one is asked for."""

    warmup: int = opt(0, unit="steps", ge=0, help="steps over which the learning rate rises")

    def build(self, optimizer: torch.optim.Optimizer, steps: int | None) -> Schedule:
        """Build the schedule for a run of `steps`, None where time alone limits it."""
        from fxkit_training._schedule import Schedule

        return Schedule(optimizer, steps, self.factor, self.warmup)

    def factor(self, step: int, share: float) -> float:
        """Return the factor `step` steps behind the warm-up, with `share` of the rest over."""
        return 1.0
