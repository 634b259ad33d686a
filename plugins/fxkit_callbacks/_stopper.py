"""The callback behind `early-stopping`."""

from __future__ import annotations

import difflib
import math
from collections.abc import Mapping, Sequence
from typing import Any

from fxkit.engine.objective import Criterion, criterion
from fxkit.engine.session import Evaluation, Run
from fxkit.errors import RunError
from fxkit.hooks import hookimpl


class Stopper:
    """Count validations without improvement."""

    def __init__(self, metric: str, patience: int, min_delta: float) -> None:
        self.metric = metric
        self.patience = patience
        self.min_delta = min_delta
        self.criterion = Criterion(metric)
        self.best: float | None = None
        self.best_step = 0
        self.waited = 0

    @hookimpl
    def fx_run_start(self, run: Run) -> None:
        """Refuse a metric that no validation will have, and say when there is no validation."""
        self._check([term.name for term in run.prepared.terms] + ["loss"])
        self.criterion = criterion(run.prepared.terms, self.metric)
        if not run.prepared.materials["val"].recordings:
            run.report("early-stopping: there are no validation recordings; it will not stop this run")

    @hookimpl
    def fx_validate_end(self, step: int, evaluation: Evaluation) -> None:
        """Compare with the best value so far."""
        self._check(list(evaluation.metrics))
        value = evaluation.metrics[self.metric]
        if self._is_better(value):
            self.best, self.best_step, self.waited = value, step, 0
        else:
            self.waited += 1

    @hookimpl
    def fx_should_stop(self) -> str | None:
        """Return the reason when patience is over."""
        if self.waited < self.patience:
            return None
        if self.best is None:
            return f"early-stopping: {self.metric} was never a number in {self.waited} validations"
        best = f"{self.metric} {self.best:.5g} at step {self.best_step}"
        return f"early-stopping: no better than {best} for {self.waited} validations"

    def state_dict(self) -> dict[str, Any]:
        """Return what has been seen so far."""
        return {"best": self.best, "best_step": self.best_step, "waited": self.waited}

    def load_state_dict(self, state: Mapping[str, Any]) -> None:
        """Go on from `state_dict`."""
        self.best, self.best_step, self.waited = state["best"], state["best_step"], state["waited"]

    def _is_better(self, value: float) -> bool:
        if self.best is None:
            return math.isfinite(value)
        cost, best = self.criterion.cost(value), self.criterion.cost(self.best)
        return cost < (best - self.min_delta * abs(best) if math.isfinite(best) else best)

    def _check(self, available: Sequence[str]) -> None:
        if self.metric in available:
            return
        near = difflib.get_close_matches(self.metric, available, n=1)
        hint = f'; did you mean "{near[0]}"?' if near else ""
        raise RunError(f'early-stopping.metric: no "{self.metric}"; available: {", ".join(available)}{hint}')
