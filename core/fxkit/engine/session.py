"""One run in progress: what callbacks see, and what is saved so that it can go on elsewhere."""

from __future__ import annotations

from collections.abc import Mapping
from pathlib import Path
from typing import Any

import attrs
import torch

from fxkit.background import Background
from fxkit.callbacks import Callbacks
from fxkit.engine.course import Course
from fxkit.engine.evaluation import Evaluation, Example
from fxkit.engine.objective import Criterion, criterion
from fxkit.engine.polarity import Polarity, PolarityWatch, polarity
from fxkit.engine.setup import Prepared
from fxkit.errors import NonFiniteError, RunError
from fxkit.experiment.model import Experiment
from fxkit.model.graph import Model
from fxkit.runs import checkpoint
from fxkit.runs.folder import RunFolder
from fxkit.runs.journal import Journal
from fxkit.runs.progress import Progress

__all__ = ["Best", "Evaluation", "Example", "Run"]


@attrs.frozen
class Best:
    """Hold the best validation so far: its value, by the run's criterion, and its step."""

    value: float
    step: int


@attrs.define(kw_only=True, eq=False)
class Run:
    """Hold a run in progress.

    `step` counts finished optimiser steps; `validated` is the step of the last validation;
    `pending` holds the losses of a step whose validation and hooks have not all run yet. `background` does
    work of callbacks that nothing has to wait for, such as drawing.
    """

    prepared: Prepared
    folder: RunFolder
    course: Course
    callbacks: Callbacks
    journal: Journal
    progress: Progress
    step: int = 0
    validated: int = 0
    best: Best | None = None
    stopped: str | None = None
    pending: Mapping[str, float] | None = None
    background: Background = attrs.field(factory=Background)
    polarity: PolarityWatch = attrs.field(init=False)
    _requested: list[Path] = attrs.field(factory=list)

    def __attrs_post_init__(self) -> None:
        self.polarity = PolarityWatch(self.prepared.terms)

    @property
    def experiment(self) -> Experiment:
        """Return the experiment as read."""
        return self.prepared.experiment

    @property
    def model(self) -> Model:
        """Return the model in training."""
        return self.prepared.model

    @property
    def sample_rate(self) -> int:
        """Return the rate in Hz."""
        return self.experiment.run.sample_rate

    @property
    def criterion(self) -> Criterion:
        """Return what chooses the best weights."""
        return criterion(self.prepared.terms, self.experiment.train.best)

    @property
    def optimizer(self) -> torch.optim.Optimizer:
        """Return what made the last step, or makes the first."""
        return self.course.learner_at(max(self.step - 1, self.course.begun)).optimizer

    @property
    def learning_rates(self) -> dict[str, float]:
        """Return node, controller or loss -> its learning rate now.

        Of weights with rules of their own, the first group of their owner counts.
        """
        rates: dict[str, float] = {}
        for learner in self.course.learners:
            for group in learner.optimizer.param_groups:
                rates.setdefault(group["name"], group["lr"])
        return rates

    @property
    def saves_requested(self) -> tuple[Path, ...]:
        """Return where a save was asked for since the last step."""
        return tuple(self._requested)

    def report(self, text: str) -> None:
        """Show a line to the user."""
        self.progress.message(text)

    def publish(self, name: str, step: int, values: Mapping[str, float]) -> None:
        """Put a callback's figures on record: in the journal, in records of kind `name`, and in every log."""
        self.journal.write(name, step, values)
        self.callbacks.hook.fx_figures(run=self, step=step, name=name, values=values)

    def look_at_polarity(self, evaluation: Evaluation, *, last: bool = False) -> Polarity | None:
        """Record whether an evaluation's outputs are upside down, and say so once that is certain."""
        found = polarity(evaluation.examples)
        if found is not None:
            self.journal.write("polarity", evaluation.step, {"split": evaluation.split, **found.record()})
        line = self.polarity.line(evaluation, found, last=last)
        if line is not None:
            self.report(line)
        return found

    def request_save(self, path: Path | None = None) -> None:
        """Ask for the training state to be saved once all hooks of this step have run.

        A state saved in the middle of a step's hooks would run some of them twice on resume.
        """
        self._requested.append(path or self.folder.last)

    def save_requested(self) -> None:
        """Save where it was asked for since the last step."""
        for path in self._requested:
            self.save(path)
        self._requested.clear()

    def save(self, path: Path | None = None) -> Path:
        """Write the whole training state, by default to checkpoints/last.pt.

        Raises `NonFiniteError` rather than save weights that are not finite.
        """
        path = path or self.folder.last
        self._refuse_non_finite()
        # Every worker adds to the state; one writes it.
        state = self.state_dict()
        if self.course.crew.launch.leads:
            checkpoint.save(path, state)
        return path

    def state_dict(self) -> dict[str, Any]:
        """Return everything that decides how the run goes on."""
        return {
            "step": self.step,
            "validated": self.validated,
            "best": None if self.best is None else [self.best.value, self.best.step],
            "stopped": self.stopped,
            "pending": None if self.pending is None else dict(self.pending),
            "model": self.model.state_dict(),
            "losses": [_module_state(term.loss) for term in self.prepared.terms],
            "course": self.course.state_dict(),
            "callbacks": self.callbacks.state_dict(),
            "records": self.journal.count,
            "polarity": self.polarity.state_dict(),
            "random": checkpoint.random_state(),
        }

    def load_state_dict(self, state: Mapping[str, Any], path: Path) -> None:
        """Go on from what `state_dict` returned; `path` is named in errors."""
        if "polarity" not in state:
            raise RunError(f"{path}: saved by an earlier version of fxkit, whose runs cannot be continued")
        checkpoint.load_weights(self.model, state["model"], path)
        for term, values in zip(self.prepared.terms, state["losses"], strict=True):
            if isinstance(term.loss, torch.nn.Module):
                term.loss.load_state_dict(values)
        self.course.load_state_dict(state["course"])
        self.callbacks.load_state_dict(state["callbacks"])
        self.polarity.load_state_dict(state["polarity"])
        self.step, self.validated, self.stopped = state["step"], state["validated"], state["stopped"]
        self.pending = state["pending"]
        self.best = None if state["best"] is None else Best(*state["best"])
        checkpoint.restore_random_state(state["random"])

    def _refuse_non_finite(self) -> None:
        for name, weight in self.model.named_parameters():
            if not bool(torch.isfinite(weight).all()):
                raise NonFiniteError(f"step {self.step}: {name} is not finite; {self.last_good()}")

    def last_good(self) -> str:
        """Say which checkpoint to go back to."""
        saved = [path for path in (self.folder.last, self.folder.best) if path.is_file()]
        if not saved:
            return "no checkpoint was saved before"
        step, path = max((checkpoint.load(path)["step"], path) for path in saved)
        return f"the last good checkpoint is {path} (step {step})"


def _module_state(loss: Any) -> dict[str, Any]:
    return loss.state_dict() if isinstance(loss, torch.nn.Module) else {}
