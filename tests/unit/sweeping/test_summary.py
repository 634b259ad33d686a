"""Figures over seeds, the order of trials, and what is drawn of them."""

from __future__ import annotations

import statistics
from pathlib import Path

import pytest

from fxkit.sweeping.axes import Choices
from fxkit.sweeping.folder import SweepFolder
from fxkit.sweeping.influence import influence, varied
from fxkit.sweeping.optuna_parts import require_optuna
from fxkit.sweeping.plots import draw
from fxkit.sweeping.register import Register
from fxkit.sweeping.scale import scale_of
from fxkit.sweeping.summary import Row, Summary, summarise
from fxkit.sweeping.sweep import Sweep

FIGURES = {("a", "1"): 0.1, ("a", "2"): 0.9, ("b", "1"): 0.3, ("b", "2"): 0.4}


def row(trial: int, value: float | None, state: str = "complete", **parameters: str) -> Row:
    return Row(
        trial=trial,
        state=state,
        parameters=parameters,
        value=value,
        test={},
        steps=10,
        seconds=1.0,
        weights=3,
        retries=0,
        worker="here:1",
        error="",
    )


def done(path: Path, higher: bool) -> tuple[Register, Sweep]:
    """A sweep of which all trials are over."""
    require_optuna()
    axes = (Choices("nodes.x.kind", ("a", "b")), Choices("run.seed", ("1", "2")))
    sweep = Sweep(experiment="quickstart", axes=axes, trials=4, higher=higher)
    register = SweepFolder(path).new_register("s", None, 1)
    register.create(sweep)
    while (trial := register.claim(sweep)) is not None:
        kind, seed = (axis.drawn(trial) for axis in axes)
        value = FIGURES[kind, seed]
        trial.set_user_attr("value", value)
        trial.study.tell(trial, value)
    return register, sweep


def test_the_best_trial_is_one_of_the_best_mean_and_not_a_lucky_seed(tmp_path: Path) -> None:
    summary = summarise(*done(tmp_path / "s", higher=False))
    assert [one.parameters["nodes.x.kind"] for one in summary.groups] == ["b", "a"]
    best = summary.groups[0]
    assert best.mean == pytest.approx(0.35)
    assert best.deviation == pytest.approx(statistics.stdev([0.3, 0.4]))
    assert (best.low, best.high) == (0.3, 0.4)
    assert [one.value for one in summary.rows] == [0.1, 0.3, 0.4, 0.9]
    assert summary.best is not None
    assert summary.best.value == 0.3


def test_more_is_better_where_the_metric_says_so(tmp_path: Path) -> None:
    summary = summarise(*done(tmp_path / "s", higher=True))
    assert [one.value for one in summary.rows] == [0.9, 0.4, 0.3, 0.1]
    assert [one.parameters["nodes.x.kind"] for one in summary.groups] == ["a", "b"]
    assert summary.best is not None
    assert summary.best.value == 0.9


def test_a_parameter_that_decides_alone_has_all_the_influence() -> None:
    rows = [row(i, float(i // 4), a=str(i // 4), b=str(i % 2), c="same") for i in range(12)]
    assert varied(rows) == ("a", "b")
    found = influence(rows)
    # Ranks 0 to 11 in three groups of four: within each, the squares of -1.5, -0.5, 0.5 and 1.5.
    within, total = 3 * 5.0, 143.0
    assert found["a"] == pytest.approx(1 - (within / 9) / (total / 11))
    assert found["b"] == 0.0


def test_values_of_a_range_are_taken_together() -> None:
    rows = [row(i, float(i), a=repr(i / 7)) for i in range(16)]
    assert influence(rows)["a"] > 0.9
    assert influence(rows[:4]) == {}


@pytest.mark.parametrize(
    ("texts", "positions", "named"),
    [
        (["16", "8", "16"], (1, 0, 1), True),
        (["lstm", "gru"], (0, 1), True),
        ([str(10**i) for i in range(9)], tuple(range(9)), False),
        ([str(20 + i) for i in range(9)], tuple(range(20, 29)), False),
    ],
)
def test_values_stand_where_they_belong(texts: list[str], positions: tuple, named: bool) -> None:
    scale = scale_of(texts)
    assert scale.positions == pytest.approx(positions)
    assert scale.named is named
    assert (min(scale.shares), max(scale.shares)) == (0, 1)


@pytest.mark.parametrize("count", [1, 2, 9])
def test_pictures_are_drawn_of_any_number_of_trials(tmp_path: Path, count: int) -> None:
    rows = [row(i, 0.1 + i, a=str(1 + i), b="xy"[i % 2], seed="$_1") for i in range(count)]
    rows += [row(20, 0.5, "pruned", a="9", b="x"), row(21, None, "failed")]
    summary = Summary(
        sweep="s", metric="esr", higher_is_better=False, rows=tuple(rows), groups=(), best=rows[0]
    )
    assert list(draw(summary, tmp_path)) == []
    pictures = {path.stem for path in tmp_path.iterdir()}
    assert pictures >= ({"history"} if count == 1 else {"history", "parameters", "parallel", "pairs"})
    assert all(path.stat().st_size > 5000 for path in tmp_path.iterdir())
