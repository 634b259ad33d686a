"""The `checkpoint` callback: save the training state as the run goes."""

from __future__ import annotations

import math
import re
from collections.abc import Mapping
from pathlib import Path
from typing import TYPE_CHECKING, Any, ClassVar

import attrs

from fxkit.hooks import hookimpl
from fxkit.spec import opt
from fxkit.trigger import Trigger, Triggers, more_is_better, path_of

if TYPE_CHECKING:
    from fxkit.context import BuildContext
    from fxkit.engine.session import Evaluation, Run


@attrs.frozen(kw_only=True)
class Checkpoint(Triggers):
    """Save the training state now and then, so that a run that was cut off can go on.

    checkpoints/last.pt is always the newest; --resume starts from it. The newest `keep` states and the `best`
    ones by a validation metric stay as checkpoints/step-NNNNNN.pt as well; to go back to one, copy it
    over last.pt. The total, "loss", is made with the weights that the file gives the losses, whatever a
    schedule makes of them in training, so that states of different steps can be compared.
    """

    on_steps: ClassVar[bool] = True

    every: int = opt(500, unit="steps", ge=0, help="saved at multiples of this; 0: never by count")
    keep: int = opt(2, ge=0, help="newest numbered states that are kept beside last.pt")
    best: int = opt(0, ge=0, help="numbered states of the best validations that are kept")
    metric: str = opt(
        "loss", refers="metric", help='which validations are best: a loss or metric, or "loss", the total'
    )

    def build(self, ctx: BuildContext) -> Saver:
        """Build the callback."""
        return Saver(self)


class Saver:
    """Ask for the state to be saved, and remove old numbered states once newer ones are on disk."""

    def __init__(self, options: Checkpoint) -> None:
        self.options, self.keep = options, options.keep
        self.trigger = Trigger(options)
        self.ranking: list[tuple[float, int]] = []
        self._sign = 1.0
        self._asked: tuple[int, Path] | None = None

    @hookimpl
    def fx_run_start(self, run: Run) -> None:
        """Refuse a metric that no validation will have."""
        self.trigger.check(run)
        path = f"{path_of(run, self.options)}.metric"
        self._sign = -1.0 if more_is_better(run, self.options.metric, path) else 1.0

    @hookimpl
    def fx_validate_end(self, run: Run, step: int, evaluation: Evaluation) -> None:
        """Ask for a save of one of the best."""
        self.trigger.due(run, step, evaluation)
        cost = self._sign * evaluation.metrics.get(self.options.metric, math.nan)
        if not self.options.best or not math.isfinite(cost):
            return
        self.ranking = sorted([*self.ranking, (cost, step)])[: self.options.best]
        if (cost, step) in self.ranking:
            self._ask(run, step, numbered=True)

    @hookimpl
    def fx_step_end(self, run: Run, step: int) -> None:
        """Ask for a save when one is due; the kernel writes it after this step's hooks."""
        if self._asked and self._asked[0] < step:
            self._prune(run)
        if self.trigger.due(run, step):
            self._ask(run, step, numbered=self.keep > 0)

    @hookimpl
    def fx_close(self, run: Run) -> None:
        """Remove what the last save left behind."""
        self._prune(run)

    def state_dict(self) -> dict[str, Any]:
        """Return the best validations so far."""
        ranking = [list(entry) for entry in self.ranking]
        return {"trigger": self.trigger.state_dict(), "ranking": ranking}

    def load_state_dict(self, state: Mapping[str, Any]) -> None:
        """Go on from `state_dict`."""
        self.trigger.load_state_dict(state["trigger"])
        self.ranking = [(cost, step) for cost, step in state["ranking"]]

    def _ask(self, run: Run, step: int, *, numbered: bool) -> None:
        # Before last.pt: a run killed in between resumes ahead of this step and writes both again.
        own, last = run.folder.checkpoints / state_name(step), run.folder.last
        for path in (own, last) if numbered else (last,):
            if path not in run.saves_requested:
                run.request_save(path)
        self._asked = (step, own if numbered else last)

    def _prune(self, run: Run) -> None:
        asked, self._asked = self._asked, None
        if asked is None or not asked[1].is_file():
            return
        best = {step for _, step in self.ranking}
        states = [
            (step, path) for step, path in numbered(run.folder.checkpoints, run.step) if step not in best
        ]
        for _, path in states[: -self.keep or None]:
            path.unlink(missing_ok=True)


def state_name(step: int) -> str:
    """Return the file name of a numbered state."""
    return f"step-{step:06d}.pt"


def numbered(folder: Path, step: int) -> list[tuple[int, Path]]:
    """Return the numbered states of `folder` up to `step`, oldest first.

    Later ones belong to a future that a run set back to an older state has left.
    """
    found = ((re.fullmatch(r"step-(\d+)\.pt", path.name), path) for path in folder.glob("step-*.pt"))
    steps = sorted((int(match[1]), path) for match, path in found if match)
    return [(number, path) for number, path in steps if number <= step]
