"""The `early-stopping` callback: end a run that no longer gets better."""

from __future__ import annotations

import difflib
import math
from typing import TYPE_CHECKING, Any

import attrs

from fxkit.errors import RunError
from fxkit.hooks import hookimpl
from fxkit.spec import opt

if TYPE_CHECKING:
    from collections.abc import Mapping, Sequence

    from fxkit.context import BuildContext
    from fxkit.engine.session import Evaluation, Run


@attrs.frozen(kw_only=True)
class EarlyStopping:
    """End the training when a validation metric has not become lower for some validations.

    A value counts as better when it is below the best one so far by more than `min_delta` of that
    one's size; a value that is not a number never is.
    """

    metric: str = opt("loss", help='a loss or metric of the experiment, or "loss", the weighted total')
    patience: int = opt(10, unit="validations", ge=1, help="validations in a row without a better value")
    min_delta: float = opt(0.0, ge=0, lt=1, help="least gain that counts, as a share of the best value")

    def build(self, ctx: BuildContext) -> Stopper:
        """Build the callback."""
        return Stopper(self.metric, self.patience, self.min_delta)


class Stopper:
    """Count validations without improvement."""

    def __init__(self, metric: str, patience: int, min_delta: float) -> None:
        self.metric = metric
        self.patience = patience
        self.min_delta = min_delta
        self.best = math.inf
        self.best_step = 0
        self.waited = 0

    @hookimpl
    def fx_run_start(self, run: Run) -> None:
        """Refuse a metric that no validation will have, and say when there is no validation."""
        self._check([term.name for term in run.prepared.terms] + ["loss"])
        if not run.prepared.materials["val"].recordings:
            run.report("early-stopping: there are no validation recordings; it will not stop this run")

    @hookimpl
    def fx_validate_end(self, step: int, evaluation: Evaluation) -> None:
        """Compare with the best value so far."""
        self._check(list(evaluation.metrics))
        value = evaluation.metrics[self.metric]
        if value < self._threshold():
            self.best, self.best_step, self.waited = value, step, 0
        else:
            self.waited += 1

    @hookimpl
    def fx_should_stop(self) -> str | None:
        """Return the reason when patience is over."""
        if self.waited < self.patience:
            return None
        best = f"{self.metric} {self.best:.5g} at step {self.best_step}"
        return f"early-stopping: no better than {best} for {self.waited} validations"

    def state_dict(self) -> dict[str, Any]:
        """Return what has been seen so far."""
        return {"best": self.best, "best_step": self.best_step, "waited": self.waited}

    def load_state_dict(self, state: Mapping[str, Any]) -> None:
        """Go on from `state_dict`."""
        self.best, self.best_step, self.waited = state["best"], state["best_step"], state["waited"]

    def _threshold(self) -> float:
        return self.best if math.isinf(self.best) else self.best - self.min_delta * abs(self.best)

    def _check(self, available: Sequence[str]) -> None:
        if self.metric in available:
            return
        near = difflib.get_close_matches(self.metric, available, n=1)
        hint = f'; did you mean "{near[0]}"?' if near else ""
        raise RunError(f'early-stopping.metric: no "{self.metric}"; available: {", ".join(available)}{hint}')
