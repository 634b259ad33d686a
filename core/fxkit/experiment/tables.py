"""The kernel's own keys of an experiment file, declared like any plugin's options.

A plugin's table mixes two sets of keys: those of the kernel for that place (`NodeKeys`, `LossKeys`,
...: weight, controller, ...) and the options of the plugin that `type` names.
"""

from __future__ import annotations

import re
from collections.abc import Iterator, Mapping, Sequence
from pathlib import Path
from typing import Any, Literal

import attrs

from fxkit.experiment.duration import duration_problem
from fxkit.spec import opt

DEFAULT_STEPS = 1000
Precision = Literal["float32", "bf16", "fp16"]


@attrs.frozen(kw_only=True)
class RunTable:
    """Name the run and fix what every part shares."""

    name: str = opt("run", help="name of the run; its folder starts with it")
    seed: int = opt(0, ge=0, le=2**31 - 1, help="seed of every random choice")
    sample_rate: int = opt(48000, unit="Hz", ge=8000, le=384000, help="rate that everything runs at")
    hop: int = opt(64, unit="samples", ge=1, le=8192, help="distance between frames of features and controls")
    device: str = opt("auto", help='where to train: "auto", "cpu", "cuda", "cuda:1", "mps"')
    init: Path | None = opt(
        None, help="run folder whose weights to start from, as far as names and sizes of nodes agree"
    )

    def problems(self) -> Iterator[tuple[str, str]]:
        """Refuse a name that would not stay one folder inside the folder of runs, and what is no device."""
        if not self.name.strip() or self.name.startswith(".") or any(sign in self.name for sign in "/\\\0"):
            yield "name", f'"{self.name}" cannot name a folder; leave out slashes and a leading dot'
        if re.fullmatch(r"gpus?|nvidia|amd|rocm", self.device, re.IGNORECASE):
            yield (
                "device",
                f'"{self.device}" is no device; write "cuda", "cuda:1" for the second one, or "auto"',
            )


@attrs.frozen(kw_only=True)
class TrainTable:
    """Say how long and how to train."""

    steps: int | None = opt(
        None, ge=1, help=f"optimiser steps; {DEFAULT_STEPS} when neither this nor until is given"
    )
    until: str | None = opt(None, help='time after which training ends: "90 s", "20 min", "1.5 h"')
    batch_size: int = opt(8, ge=1, help="segments per step")
    accumulate: int = opt(
        1, ge=1, help="parts of a batch that run one after another: the same gradient in less memory"
    )
    window: int | None = opt(
        None,
        unit="samples",
        ge=1,
        help="samples per step inside a segment; the state is carried from step to step",
    )
    warmup_gradient: bool | None = opt(
        None, help="let gradients flow through data.warmup; when absent, they do unless there is a window"
    )
    precision: Precision = opt("float32", help="what the matrix products of neural processors run in")
    compile: bool = opt(False, help="compile processors of finite memory by torch.compile")
    optimizer: Any = opt(kind="optimizers", help="what updates the weights")
    schedule: Any = opt(None, kind="schedules", help="how the learning rate moves; constant when absent")
    clip_norm: float | None = opt(None, gt=0, help="largest gradient norm; longer gradients are scaled down")
    clip_value: float | None = opt(None, gt=0, help="largest size of one entry of the gradient")
    validate_every: int = opt(500, unit="steps", ge=1, help="steps between validations")
    log_every: int = opt(25, unit="steps", ge=1, help="steps between written training losses")
    keep: Literal["best", "last"] = opt("best", help="which weights the run ends with")
    best: str | None = opt(
        None,
        refers="metric",
        help="loss or metric that chooses the best weights; the weighted loss when absent",
    )

    def problems(self) -> Iterator[tuple[str, str]]:
        """Refuse a duration that is none, and a batch that cannot be divided."""
        wrong = duration_problem(self.until)
        if wrong:
            yield "until", wrong
        if self.batch_size % self.accumulate:
            yield "accumulate", f"does not divide batch_size = {self.batch_size}"


def with_an_end(train: TrainTable, phases: Sequence[Any]) -> TrainTable:
    """Return the table with a number of steps where neither it nor phases say when training ends."""
    endless = train.steps is None and train.until is None and not phases
    return attrs.evolve(train, steps=DEFAULT_STEPS) if endless else train


_TRAIN_HELP = 'nodes, controllers and "losses.NAME" whose weights learn; all when absent'
_LOSSES_HELP = (
    "loss = weight, or the ramp that it follows over the phase; those that are left out are not computed."
    " As in [losses] when absent"
)


@attrs.frozen(kw_only=True)
class TurnTable:
    """Say what learns in one of the turns that a phase takes, and by which losses."""

    train: tuple[str, ...] | None = opt(None, help=_TRAIN_HELP)
    losses: Mapping[str, float | Any] | None = opt(None, ge=0, kind="ramps", help=_LOSSES_HELP)
    steps: int = opt(1, ge=1, help="optimiser steps before the next turn")
    optimizer: Any = opt(None, kind="optimizers", help="what updates these weights; the phase's when absent")


@attrs.frozen(kw_only=True)
class PhaseTable:
    """Say how one phase of the training differs; what is left out is as in [train] and [data].

    Phases follow each other in the order of the file, each with an optimiser of its own.
    """

    name: str | None = opt(None, help="name in messages and for --set phase.NAME.steps=5")
    steps: int | None = opt(None, ge=1, help="optimiser steps; this or until is needed")
    until: str | None = opt(None, help='time after which the phase ends: "90 s", "20 min", "1.5 h"')
    train: tuple[str, ...] | None = opt(None, help=_TRAIN_HELP)
    losses: Mapping[str, float | Any] | None = opt(None, ge=0, kind="ramps", help=_LOSSES_HELP)
    alternate: tuple[TurnTable, ...] = opt((), help="turns that follow each other in a circle")
    optimizer: Any = opt(None, kind="optimizers", help="what updates the weights")
    schedule: Any = opt(None, kind="schedules", help="how the learning rate moves in this phase")
    batch_size: int | None = opt(None, ge=1, help="segments per step")
    segment: int | None = opt(None, unit="samples", ge=16, help="scored length of a training segment")
    window: int | None = opt(None, unit="samples", ge=1, help="samples per step inside a segment")
    precision: Precision | None = opt(None, help="what the matrix products of neural processors run in")

    def problems(self) -> Iterator[tuple[str, str]]:
        """Refuse a phase without an end, and what has no effect beside turns."""
        wrong = duration_problem(self.until)
        if wrong:
            yield "until", wrong
        if self.steps is None and self.until is None:
            yield "", 'has no end; write steps = 1000, or until = "20 min"'
        for key in ("train", "losses") if self.alternate else ():
            if getattr(self, key) is not None:
                yield key, "has no effect beside alternate; write it into the turns"


@attrs.frozen(kw_only=True)
class ModelTable:
    """Connect the nodes: a list is a series, a list in it is parallel branches, and so on."""

    chain: tuple[Any, ...] = opt(help="names of nodes in order; a list inside runs its members in parallel")


@attrs.frozen(kw_only=True)
class PluginsTable:
    """Choose which installed plugins may be used."""

    disable: tuple[str, ...] = opt((), help='distributions ("dist") or plugins ("kind:name") to ignore')
    require: tuple[str, ...] = opt((), help='distributions that must be there ("fxkit-bitcrush>=0.2")')
    local: Mapping[str, str] = opt(
        factory=dict, help='"kind:name" = "file.py:Spec"; needs --allow-local and is hashed into the lock'
    )


@attrs.frozen(kw_only=True)
class DataKeys:
    """The kernel's keys of [data]."""

    segment: int = opt(16384, unit="samples", ge=16, help="scored length of a training segment")
    warmup: int = opt(0, unit="samples", ge=0, help="samples before each segment that only warm the state up")
    preload: Literal["auto", "always", "never"] = opt(
        "auto",
        help='read audio files into memory, or map them: "auto" reads what half of the free memory holds',
    )


@attrs.frozen(kw_only=True)
class ParameterKeys:
    """What [nodes.NAME.parameters.PARAMETER] says of one parameter; values in the parameter's unit."""

    fixed: float | tuple[float, ...] | None = opt(
        None, help="value that it keeps; one for each where it has several. No controller sets it then"
    )
    start: float | tuple[float, ...] | None = opt(
        None, help="value that a controller starts from; the parameter's default when absent"
    )
    low: float | None = opt(None, help="lowest value that a controller may set")
    high: float | None = opt(None, help="highest value that a controller may set")
    tie: str | None = opt(
        None, help='"node.parameter" whose value it always has; of this node or an earlier one'
    )
    controller: str | None = opt(
        None,
        refers="controller",
        help="name of one in [controllers] that sets it, in the place of the node's own controller",
    )

    def problems(self) -> Iterator[tuple[str, str]]:
        """Refuse what has no effect beside a fixed or a tied value."""
        for winner, reason in (("fixed", "it has a fixed value"), ("tie", f"it takes that of {self.tie}")):
            if getattr(self, winner) is None:
                continue
            for key in ("fixed", "start", "low", "high", "tie", "controller"):
                if key != winner and getattr(self, key) is not None and (winner, key) != ("tie", "fixed"):
                    yield key, f"has no effect, as {reason}; remove this or {winner}"


@attrs.frozen(kw_only=True)
class NodeKeys:
    """The kernel's keys of [nodes.NAME]."""

    controller: Any = opt(
        None,
        kind="controllers",
        help="what sets the parameters: a table, or the name of one in [controllers]",
    )
    parameters: Mapping[str, ParameterKeys] = opt(
        factory=dict, help="a table per parameter that is fixed, limited, tied or starts elsewhere"
    )
    inputs: Mapping[str, str] = opt(factory=dict, help='named inputs: input = "input" or a node\'s name')
    lr: float = opt(1.0, ge=0, help="factor on the learning rate of this node's weights")
    weight_decay: float | None = opt(
        None, ge=0, help="shrinking of this node's weight matrices, in place of the optimiser's"
    )
    freeze: bool = opt(False, help="keep this node's weights as they start")
    recompute: bool = opt(
        False, help="compute this node again for its gradient rather than keep what it made: less memory"
    )


@attrs.frozen(kw_only=True)
class ControllerKeys:
    """The kernel's keys of [controllers.NAME] and of a node's inline controller."""

    lr: float = opt(1.0, ge=0, help="factor on the learning rate of this controller's weights")
    weight_decay: float | None = opt(
        None, ge=0, help="shrinking of this controller's weight matrices, in place of the optimiser's"
    )
    freeze: bool = opt(False, help="keep this controller's weights as they start")


@attrs.frozen(kw_only=True)
class LossKeys:
    """The kernel's keys of [losses.NAME]."""

    weight: float | Any = opt(
        1.0, ge=0, kind="ramps", help="factor of this term in the total, or the ramp that it follows"
    )


@attrs.frozen(kw_only=True)
class CallbackKeys:
    """The kernel's keys of [callbacks.NAME]."""

    on_error: Literal["raise", "warn", "disable"] = opt(
        "raise", help="what an error in this callback does to the run"
    )


@attrs.frozen(kw_only=True)
class NoKeys:
    """The kernel has no keys of its own here."""


@attrs.frozen(kw_only=True)
class Place:
    """Say what stands at a path of the file: one table or named ones, whose plugins, which kernel keys."""

    path: str
    kind: str
    keys: type
    named: bool = True
    required: bool = False


PLACES: tuple[Place, ...] = (
    Place(path="data", kind="datasets", keys=DataKeys, named=False, required=True),
    Place(path="features", kind="features", keys=NoKeys),
    Place(path="controllers", kind="controllers", keys=ControllerKeys),
    Place(path="nodes", kind="processors", keys=NodeKeys, required=True),
    Place(path="losses", kind="losses", keys=LossKeys, required=True),
    Place(path="metrics", kind="losses", keys=NoKeys),
    Place(path="callbacks", kind="callbacks", keys=CallbackKeys),
    Place(path="transforms", kind="transforms", keys=NoKeys),
)

TABLES: dict[str, type] = {"run": RunTable, "train": TrainTable, "model": ModelTable, "plugins": PluginsTable}

# Tables that stand any number of times, each under the header [[name]].
ARRAYS: dict[str, type] = {"phase": PhaseTable}
