"""Learning rates as a function of how much of the run is over."""

from __future__ import annotations

from collections.abc import Mapping
from typing import Any, Protocol

import torch

from fxkit_training._warmup import warmed


class Curve(Protocol):
    """Say what factor the learning rate has."""

    def __call__(self, step: int, share: float) -> float:
        """Return the factor; `step` and `share`, from 0 to 1, count from the end of the warm-up."""


class Schedule:
    """Multiply the learning rates of an optimiser by a curve, behind a straight rise over `warmup` steps.

    `advance(share)` moves on by a step, `share` of the run being over; `step()` does the same for a run of
    `steps`, where these are known.
    """

    def __init__(
        self, optimizer: torch.optim.Optimizer, steps: int | None, curve: Curve, warmup: int = 0
    ) -> None:
        self._optimizer, self._steps, self._curve, self._warmup = optimizer, steps, curve, warmup
        self._rates = [float(group["lr"]) for group in optimizer.param_groups]
        self._step = 0
        self._risen = 0.0
        self._set(0.0)

    def step(self) -> None:
        """Move on by a step."""
        self.advance((self._step + 1) / max(1, (self._steps or 1) - 1))

    def advance(self, share: float) -> None:
        """Move on by a step, behind which `share` of the run is over."""
        self._step += 1
        self._set(min(1.0, share))

    def state_dict(self) -> dict[str, Any]:
        """Return where the schedule stands."""
        return {"step": self._step, "risen": self._risen}

    def load_state_dict(self, state: Mapping[str, Any]) -> None:
        """Go on from `state_dict`; the learning rates are part of the optimiser's state."""
        self._step, self._risen = state["step"], state["risen"]

    def _set(self, share: float) -> None:
        factor = self._factor(share)
        for group, rate in zip(self._optimizer.param_groups, self._rates, strict=True):
            group["lr"] = rate * factor

    def _factor(self, share: float) -> float:
        if self._step < self._warmup:
            return warmed(self._step, self._warmup)
        if self._step == self._warmup:
            self._risen = share
        left = (share - self._risen) / (1.0 - self._risen) if self._risen < 1.0 else 1.0
        return self._curve(self._step - self._warmup, max(0.0, left))
