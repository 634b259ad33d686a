"""The stages of a training: what learns, by which losses, on which segments, until when."""

from __future__ import annotations

from collections.abc import Mapping
from typing import Any

import attrs

from fxkit.experiment.duration import seconds
from fxkit.experiment.model import Experiment, Part
from fxkit.experiment.tables import PhaseTable, Precision, with_an_end

_OWN = ("optimizer", "schedule", "batch_size", "window", "precision")


@attrs.frozen(kw_only=True)
class Turn:
    """Hold what learns (names of owners, None for all), by which losses, for how many steps in a row.

    `weights` has numbers, and the parts of ramps; these follow the stage where `has_own_weights`, else the
    whole training.
    """

    train: frozenset[str] | None
    weights: Mapping[str, float | Part]
    has_own_weights: bool
    steps: int
    optimizer: Part


@attrs.frozen(kw_only=True)
class Stage:
    """Hold one stage of a training, with everything that [train] and [data] say where it says nothing.

    `steps` and `seconds` limit it, each None for no limit; `turns` follow each other in a circle.
    """

    name: str
    index: int
    steps: int | None
    seconds: float | None
    turns: tuple[Turn, ...]
    schedule: Part | None
    batch_size: int
    accumulate: int
    segment: int
    warmup: int
    window: int | None
    warmup_gradient: bool
    precision: Precision

    def turn_at(self, step: int) -> int:
        """Return which turn makes a step, counted from the start of the stage."""
        rest = step % sum(turn.steps for turn in self.turns)
        for index, turn in enumerate(self.turns):
            if rest < turn.steps:
                return index
            rest -= turn.steps
        raise AssertionError

    def steps_of(self, turn: Turn) -> int | None:
        """Return how many steps a turn makes in all, at most; None without a limit."""
        if self.steps is None:
            return None
        circle = sum(one.steps for one in self.turns)
        return max(1, -(-self.steps * turn.steps // circle))


def stages_of(experiment: Experiment) -> tuple[Stage, ...]:
    """Return the stages in their order; without phases, [train] is the only one."""
    if not experiment.phases:
        return (_stage(experiment, {}, "training", 0, (_turn(experiment, {}, None),)),)
    return tuple(_phase(experiment, phase, index) for index, phase in enumerate(experiment.phases))


def _phase(experiment: Experiment, phase: PhaseTable, index: int) -> Stage:
    own = {name: value for name in _OWN if (value := getattr(phase, name)) is not None}
    tables = phase.alternate or (phase,)
    turns = tuple(_turn(experiment, own, table) for table in tables)
    limits = {"steps": phase.steps, "until": phase.until, "segment": phase.segment}
    return _stage(experiment, {**own, **limits}, phase.name or f"phase {index}", index, turns)


def _stage(
    experiment: Experiment, own: Mapping[str, Any], name: str, index: int, turns: tuple[Turn, ...]
) -> Stage:
    train, data = with_an_end(experiment.train, experiment.phases), experiment.data.keys
    until = own.get("until", train.until)
    window = own.get("window", train.window)
    gradient = train.warmup_gradient
    return Stage(
        name=name,
        index=index,
        steps=own.get("steps", train.steps),
        seconds=None if until is None else seconds(until),
        turns=turns,
        schedule=own.get("schedule", experiment.schedule),
        batch_size=own.get("batch_size", train.batch_size),
        accumulate=train.accumulate,
        segment=own.get("segment") or data.segment,
        warmup=data.warmup,
        window=window,
        warmup_gradient=window is None if gradient is None else gradient,
        precision=own.get("precision", train.precision),
    )


def _turn(experiment: Experiment, own: Mapping[str, Any], table: Any) -> Turn:
    chosen, losses = getattr(table, "train", None), getattr(table, "losses", None)
    as_written = {name: part.keys.weight for name, part in experiment.losses.items()}
    alone = table is None or isinstance(table, PhaseTable)
    return Turn(
        train=None if chosen is None else frozenset(chosen),
        weights=as_written if losses is None else losses,
        has_own_weights=losses is not None,
        steps=1 if alone else table.steps,
        optimizer=getattr(table, "optimizer", None) or own.get("optimizer") or experiment.optimizer,
    )
