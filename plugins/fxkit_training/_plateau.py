"""The schedule behind `plateau`."""

from __future__ import annotations

import math
from collections.abc import Mapping
from typing import TYPE_CHECKING, Any

import torch

from fxkit_training._schedule import Schedule

if TYPE_CHECKING:
    from fxkit_training.plateau import Plateau


class PlateauSchedule(Schedule):
    """Follow the validations, of which `observe` is told."""

    def __init__(self, optimizer: torch.optim.Optimizer, steps: int | None, options: Plateau) -> None:
        self._options = options
        self._best, self._waited, self._level = math.inf, 0, 1.0
        super().__init__(optimizer, steps, lambda step, share: self._level, options.warmup)

    def observe(self, cost: float) -> None:
        """Note a validation, of which less is better; the next step has the lower rate where one is due."""
        wanted = self._best - self._options.min_delta * abs(self._best) if self._best < math.inf else math.inf
        if cost < wanted:
            self._best, self._waited = cost, 0
            return
        self._waited += 1
        if self._waited >= self._options.patience:
            self._level, self._waited = max(self._options.lowest, self._level * self._options.ratio), 0

    def state_dict(self) -> dict[str, Any]:
        """Return where the schedule stands."""
        return {**super().state_dict(), "best": self._best, "waited": self._waited, "level": self._level}

    def load_state_dict(self, state: Mapping[str, Any]) -> None:
        """Go on from `state_dict`."""
        super().load_state_dict(state)
        self._best, self._waited, self._level = state["best"], state["waited"], state["level"]
