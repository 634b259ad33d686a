"""Where a training stands: its stage, what learns there, the clock, and the state carried over windows."""

from __future__ import annotations

from collections.abc import Callable, Mapping
from functools import partial
from typing import Any

import attrs
import torch

from fxkit.engine.account import Account, looks_at_gradients
from fxkit.engine.budget import Clock, Place, over, portion, share
from fxkit.engine.compilation import compiled_processors, reason_of
from fxkit.engine.distributed import ALONE, Crew
from fxkit.engine.laps import Laps
from fxkit.engine.learner import Learner, build_learner
from fxkit.engine.nest import packed, unpacked
from fxkit.engine.objective import check_length
from fxkit.engine.phases import Stage, stages_of
from fxkit.engine.precision import half_for
from fxkit.engine.readout import Readout
from fxkit.engine.setup import Prepared
from fxkit.engine.step import Aim, Stepper, TrainingPass
from fxkit.engine.windows import Window, check_window, parts_of, windows_of
from fxkit.errors import FxkitError
from fxkit.model.manner import Manner
from fxkit.runs.checkpoint import random_state, restore_random_state
from fxkit.values import Batch, State

# What constant weights do not look at.
_ANYWHERE = (Place(0, 0.0), Place(0, 0.0))


@attrs.define(kw_only=True, eq=False)
class Course:
    """Hold where a training stands and make its steps.

    `index` is the stage, which began at step `begun` and at second `since` of the clock. `on_gradients`
    is called with each step's number (from 1) when its gradients are complete. `account` is of the last step;
    `laps` tells where the time goes when it is asked.
    """

    prepared: Prepared
    report: Callable[[str], None]
    crew: Crew = ALONE
    on_gradients: Callable[[int], object] | None = None
    clock: Clock = attrs.field(factory=Clock)
    index: int = 0
    begun: int = 0
    since: float = 0.0
    account: Account | None = None
    laps: Laps = attrs.field(init=False)
    stages: tuple[Stage, ...] = attrs.field(init=False)
    learners: tuple[Learner, ...] = attrs.field(init=False)
    _windows: tuple[Window, ...] = attrs.field(init=False)
    _manner: Manner = attrs.field(init=False)
    _stepper: Stepper = attrs.field(init=False)
    _carried: list[State] | None = attrs.field(init=False)
    _selected: Learner | None = attrs.field(init=False)
    _loss_weights: list[torch.nn.Parameter] = attrs.field(init=False)

    def __attrs_post_init__(self) -> None:
        self.laps = Laps(self.prepared.device)
        self.stages = stages_of(self.prepared.experiment)
        for stage in self.stages:
            self._check_lengths(stage)
        model = set(map(id, self.prepared.model.parameters()))
        # What a loss holds still by itself, as a network that it measures with, is never trained.
        self._loss_weights = [w for w in self._everything() if w.requires_grad and id(w) not in model]
        self._open(0)

    def _check_lengths(self, stage: Stage) -> None:
        """Raise `AssemblyError` where a loss of a stage cannot measure what is scored of a window."""
        late, table = self.prepared.model.latency, "train" if len(self.stages) == 1 else stage.name
        length, key = (stage.window, "window") if stage.window else (stage.segment, "segment")
        named = {name for turn in stage.turns for name in turn.weights}
        terms = [term for term in self.prepared.terms if term.name in named]
        check_window(stage, late)
        behind = f" behind the model's latency of {late}" if late else ""
        check_length(terms, length - late, f"a {key} of {table}{behind}", f"choose a longer {key}")

    @property
    def stage(self) -> Stage:
        """Return the stage that it stands in."""
        return self.stages[self.index]

    @property
    def limit(self) -> tuple[int | None, float | None]:
        """Return the steps and the seconds of all stages, each None where some stage has no such limit."""
        steps, seconds = ([getattr(stage, name) for stage in self.stages] for name in ("steps", "seconds"))
        return (None if None in steps else sum(steps)), (None if None in seconds else sum(seconds))

    def learner_at(self, step: int) -> Learner:
        """Return what learns in the run's step `step` (from 0)."""
        return self.learners[self.stage.turn_at(step - self.begun)]

    def batch_at(self, step: int) -> int:
        """Return which batch of the stage the run's step `step` (from 0) works on."""
        return (step - self.begun) // len(self._windows)

    def goes_on(self, step: int) -> bool:
        """Enter the next stage when this one is over after `step` steps; False when there is none."""
        while over(self.stage, step - self.begun, self._spent()):
            if self.index + 1 == len(self.stages):
                return False
            self.begun, self.since = step, self.clock.seconds
            self._open(self.index + 1)
        return True

    def _spent(self) -> float:
        seconds = self.clock.read()
        # Workers have to agree on when a stage ends.
        return (seconds if self.stage.seconds is None else self.crew.told(seconds)) - self.since

    def step(self, step: int, batch: Batch) -> Readout:
        """Make the run's step `step` (from 0) with the batch that it works on; returns its losses.

        `account` then has all that they came to. What `Stepper.step` raises leaves everything as it was.
        """
        learner = self.learner_at(step)
        if learner is not self._selected:
            learner.select(self._everything())
            self._selected = learner
        parts = tuple(parts_of(batch, self.stage.accumulate))
        window = self._windows[(step - self.begun) % len(self._windows)]
        states = self._carried or [None] * len(parts)
        self.account, after = self._made(learner, parts, window, states, self._aim(learner, step))
        self._carried = None if window.last else after
        learner.advance(share(self.stage, step + 1 - self.begun, self._spent()))
        return self.account.losses

    def _aim(self, learner: Learner, step: int) -> Aim:
        weights = learner.loss_weights(*(self._places(step) if learner.has_ramps else _ANYWHERE))
        every = self.prepared.experiment.train.validate_every
        # Where gradients are compared nothing runs compiled, and whether that works shows in the first step.
        may = step > 0 or not self._manner.processors
        return Aim(
            number=step + 1,
            weights=weights,
            compares_gradients=may and looks_at_gradients(step + 1, every, len(weights), self.limit[0]),
            on_gradients=self.on_gradients and partial(self.on_gradients, step + 1),
        )

    def _places(self, step: int) -> tuple[Place, Place]:
        """Return where the run's step `step` (from 0) stands in the training, and in its stage."""
        spent, limit = self._spent(), self.limit
        within = Place(step - self.begun, share(self.stage, step - self.begun, spent))
        if limit == (None, None):
            # Some stages count steps and others time: each is as much of the training.
            return Place(step, (self.index + within.share) / len(self.stages)), within
        return Place(step, portion(limit, step, spent + self.since)), within

    def _made(
        self, learner: Learner, parts: tuple[Batch, ...], window: Window, states: list[State], aim: Aim
    ) -> tuple[Account, list[State]]:
        if not self._manner.processors:
            return self._stepper.step(learner, parts, window, states, self._manner, aim)
        drawn = random_state()
        try:
            return self._stepper.step(learner, parts, window, states, self._manner, aim)
        except FxkitError:
            raise
        except Exception as error:
            self.report(f"train.compile: not compiled, as it failed: {reason_of(error)}")
            self._manner = attrs.evolve(self._manner, processors={})
            restore_random_state(drawn)
            return self._made(learner, parts, window, states, aim)

    def observe(self, cost: float) -> None:
        """Tell the schedules what a validation has found; less is better."""
        for learner in self.learners:
            learner.observe(cost)

    def state_dict(self) -> dict[str, Any]:
        """Return what decides how the training goes on."""
        return {
            "index": self.index,
            "begun": self.begun,
            "since": self.since,
            "seconds": self.clock.seconds,
            "learners": [learner.state_dict() for learner in self.learners],
            "carried": self._all_carried(),
            "account": None if self.account is None else self.account.state_dict(),
        }

    def _all_carried(self) -> list[Any]:
        """Return what each worker carries over windows."""
        own = None if self._carried is None else packed(self._carried)
        return self.crew.gathered(own) if len(self._windows) > 1 else []

    def load_state_dict(self, state: Mapping[str, Any]) -> None:
        """Go on from `state_dict`."""
        self.clock = Clock(state["seconds"])
        self.begun, self.since = state["begun"], state["since"]
        self._open(state["index"])
        for learner, saved in zip(self.learners, state["learners"], strict=True):
            learner.load_state_dict(saved)
        self.account = None if state["account"] is None else Account.of_state(state["account"])
        # What other workers carried was of other segments: a window begins again behind its warm-up.
        launch, every = self.crew.launch, state["carried"]
        carried = every[launch.rank] if len(every) == launch.size else None
        self._carried = None if carried is None else unpacked(carried, self.prepared.device)

    def _open(self, index: int) -> None:
        prepared, self.index = self.prepared, index
        stage = self.stage
        self._windows = windows_of(stage)
        self._carried, self._selected = None, None
        table = prepared.experiment.train
        half = half_for(stage.precision, prepared.device)
        processors = compiled_processors(prepared.model, self.report) if table.compile else {}
        self._manner = Manner(half=half, processors=processors)
        for weight in self._loss_weights:
            weight.requires_grad_(True)
        self.learners = tuple(build_learner(prepared, stage, turn) for turn in stage.turns)
        everything = self._everything()
        learning = {id(weight) for learner in self.learners for weight in learner.weights}
        for weight in everything:
            weight.requires_grad_(id(weight) in learning)
        shared = self.crew.parallel(TrainingPass(prepared.model, prepared.terms, self.laps))
        self._stepper = Stepper(run=shared, crew=self.crew, table=table, laps=self.laps)

    def _everything(self) -> list[torch.nn.Parameter]:
        losses = (term.loss for term in self.prepared.terms)
        modules = [self.prepared.model, *(loss for loss in losses if isinstance(loss, torch.nn.Module))]
        return [weight for module in modules for weight in module.parameters()]
