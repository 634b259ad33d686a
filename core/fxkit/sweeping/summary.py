"""What came of a sweep: a row for each trial, means over seeds, and the best trial."""

from __future__ import annotations

import statistics
from collections.abc import Iterable, Mapping, Sequence
from typing import TYPE_CHECKING, Any

import attrs

from fxkit.sweeping.axes import canonical
from fxkit.sweeping.register import ERROR, PLACE, WORKER, Register
from fxkit.sweeping.sweep import SEED, Sweep

if TYPE_CHECKING:
    from optuna.trial import FrozenTrial

_STATES = {"fail": "failed"}


@attrs.frozen(kw_only=True)
class Row:
    """Hold what came of one trial; `retries` counts the workers that died over it.

    `worker` is the machine and the process that had it last, as HOST:PID.
    """

    trial: int
    state: str
    parameters: Mapping[str, str]
    value: float | None
    test: Mapping[str, float | None]
    steps: int | None
    seconds: float | None
    weights: int | None
    retries: int
    worker: str
    error: str


@attrs.frozen(kw_only=True)
class Group:
    """Hold the mean and the standard deviation (of the sample) of trials that differ in their seeds alone."""

    parameters: Mapping[str, str]
    trials: tuple[int, ...]
    mean: float
    deviation: float | None
    low: float
    high: float


@attrs.frozen(kw_only=True)
class Summary:
    """Hold what came of a sweep; `rows` and `groups` with the best first.

    `best` is the best trial; with several seeds, the best one of the best group.
    """

    sweep: str
    metric: str
    higher_is_better: bool
    rows: tuple[Row, ...]
    groups: tuple[Group, ...]
    best: Row | None

    def document(self) -> dict[str, Any]:
        """Return it as JSON holds it."""
        return attrs.asdict(self)

    def count(self, state: str) -> int:
        """Return how many trials are in a state."""
        return sum(row.state == state for row in self.rows)


def summarise(register: Register, sweep: Sweep) -> Summary:
    """Read what came of a sweep so far."""
    rows = sorted((_row(one, sweep) for one in register.attempts()), key=lambda row: _rank(row, sweep.higher))
    groups = _groups(rows, sweep)
    return Summary(
        sweep=register.name,
        metric=sweep.metric,
        higher_is_better=sweep.higher,
        rows=tuple(rows),
        groups=groups,
        best=_best(rows, groups),
    )


def _row(one: FrozenTrial, sweep: Sweep) -> Row:
    given = one.user_attrs
    state = one.state.name.lower()
    done = state in ("complete", "pruned")
    retries = len(one.system_attrs.get("retry_history", ()))
    died = f"its worker died {retries + 1} times" if state == "fail" else ""
    return Row(
        trial=given[PLACE],
        state=_STATES.get(state, state),
        parameters={
            axis.path: axis.text(one.params[axis.path]) for axis in sweep.axes if axis.path in one.params
        },
        value=given.get("value") if done else None,
        test=given.get("test", {}) if done else {},
        steps=given.get("steps") if done else None,
        seconds=given.get("seconds") if done else None,
        weights=given.get("weights") if done else None,
        retries=retries,
        worker=given.get(WORKER, ""),
        error=given.get(ERROR, died) if state == "fail" else "",
    )


def _rank(row: Row, higher: bool) -> tuple[Any, ...]:
    order = ("complete", "pruned", "running", "waiting", "failed").index(row.state)
    value = 0.0 if row.value is None else row.value
    return order, -value if higher else value, row.trial


def _groups(rows: Iterable[Row], sweep: Sweep) -> tuple[Group, ...]:
    """Return the trials that differ in their seeds alone, best mean first; none without several seeds."""
    if not any(axis.path == SEED for axis in sweep.axes):
        return ()
    found: dict[str, list[Row]] = {}
    for row in rows:
        if row.state == "complete":
            found.setdefault(canonical(_seedless(row)), []).append(row)
    groups = [_group(members) for members in found.values()]
    return tuple(sorted(groups, key=lambda one: -one.mean if sweep.higher else one.mean))


def _seedless(row: Row) -> dict[str, str]:
    return {path: value for path, value in row.parameters.items() if path != SEED}


def _group(members: Sequence[Row]) -> Group:
    values = [row.value for row in members if row.value is not None]
    return Group(
        parameters=_seedless(members[0]),
        trials=tuple(sorted(row.trial for row in members)),
        mean=statistics.fmean(values),
        deviation=statistics.stdev(values) if len(values) > 1 else None,
        low=min(values),
        high=max(values),
    )


def _best(rows: Sequence[Row], groups: Sequence[Group]) -> Row | None:
    eligible = [row for row in rows if row.state == "complete"]
    if groups:
        eligible = [row for row in eligible if row.trial in groups[0].trials]
    return eligible[0] if eligible else None
