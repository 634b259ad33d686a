"""Watch a trial from inside its run: tell the validations to Optuna, and end what promises little."""

from __future__ import annotations

from collections.abc import Callable
from pathlib import Path
from typing import TYPE_CHECKING, Any

import fxkit
from fxkit.errors import RunError

if TYPE_CHECKING:
    from optuna import Trial

    from fxkit.engine.session import Evaluation, Run


class Watch:
    """Be a callback of the run that the sweep adds; the experiment does not know of it."""

    def __init__(
        self, trial: Trial, metric: str, begun: Callable[[Path], object], say: Callable[[str], object]
    ) -> None:
        self._trial, self._metric, self._begun, self._say = trial, metric, begun, say
        self.pruned: str | None = None

    @fxkit.hookimpl
    def fx_run_start(self, run: Run) -> None:
        """Put the trial's record into the run folder."""
        self._begun(run.folder.path)

    @fxkit.hookimpl
    def fx_validate_end(self, run: Run, step: int, evaluation: Evaluation) -> None:
        """Tell the metric, and ask whether to go on."""
        value: Any = evaluation.metrics[self._metric]
        self._say(f"step {step}  {self._metric} {value:.5g}")
        from optuna.exceptions import UpdateFinishedTrialError

        try:
            self._tell(step, float(value))
        except UpdateFinishedTrialError:
            raise RunError("this worker was taken for dead, and another one goes on with its trial") from None

    def _tell(self, step: int, value: float) -> None:
        # A trial that goes on may come by a step a second time; the first report counts.
        self._trial.report(value, step)
        if self._trial.should_prune():
            self.pruned = f"pruned at step {step}"

    @fxkit.hookimpl
    def fx_should_stop(self) -> str | None:
        """End a pruned run."""
        return self.pruned
