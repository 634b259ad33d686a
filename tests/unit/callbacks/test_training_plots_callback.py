"""The pictures of a run's losses and of one recording."""

from __future__ import annotations

import itertools

import attrs
import numpy as np
import pytest
import torch

from fxkit import BuildContext
from fxkit_callbacks._loss_picture import curves, loss_picture
from fxkit_callbacks.training_plots import TrainingPlots


def build(**options):
    return TrainingPlots(**options).build(BuildContext())


@pytest.fixture
def run(make_run):
    made = make_run()
    made.journal(20)
    return made


def drawn(run):
    return {path.name: path.read_bytes() for path in run.folder.plots.glob("*.png")}


def test_losses_and_a_recording_are_drawn_when_due(run, make_evaluation):
    plotter = build(every=10)
    plotter.fx_validate_end(run=run, step=5, evaluation=make_evaluation(step=5))
    assert not run.folder.plots.exists()
    plotter.fx_validate_end(run=run, step=10, evaluation=make_evaluation(step=10))
    assert drawn(run).keys() == {"comparison.png", "losses.png"}


def test_the_end_draws_the_test(run, make_evaluation):
    plotter = build(every=5)
    plotter.fx_validate_end(run=run, step=5, evaluation=make_evaluation(step=5))
    before = drawn(run)
    plotter.fx_run_end(run=run, evaluation=make_evaluation(split="test"))
    after = drawn(run)
    assert before["losses.png"] == after["losses.png"]
    assert before["comparison.png"] != after["comparison.png"]


def test_losses_are_sorted_by_name_and_kind_with_gaps_where_they_were_not_finite():
    found = curves(
        [
            {"kind": "train", "step": 1, "esr": 0.5, "total": 1.0},
            {"kind": "train", "step": 2, "esr": None, "total": 0.9},
            {"kind": "val", "step": 2, "esr": 0.4, "l1": 0.1, "loss": 0.8},
            {"kind": "note", "step": 2, "esr": 7.0},
        ]
    )
    assert list(found) == ["loss", "esr", "l1"]
    assert found["loss"] == {"training": ([1, 2], [1.0, 0.9]), "validation": ([2], [0.8])}
    assert found["esr"]["training"][0] == [1, 2]
    assert np.isnan(found["esr"]["training"][1][1])
    assert found["l1"] == {"validation": ([2], [0.1])}


def test_losses_below_zero_get_a_linear_axis():
    records = [{"kind": "val", "step": step, "a": -1.0 * step, "loss": 1.0} for step in (1, 2)]
    figure = loss_picture(records, "Losses")
    assert [axes.get_yscale() for axes in figure.axes] == ["log", "linear"]


@pytest.mark.parametrize(
    "fields",
    [
        {"gain": 0.0},
        {"seconds": 1 / 8000},
        {"channels": 2},
        {"dry": False},
        {"prediction": torch.full((1, 4000), torch.nan)},
        {"skip": 4000},
        {"name": r"$\frac$ _{name"},
    ],
    ids=["silent", "one-sample", "stereo", "no-input", "not-finite", "nothing-scored", "mathematics"],
)
@pytest.mark.filterwarnings("error")
def test_odd_recordings_are_drawn(make_run, make_example, make_evaluation, fields):
    run = make_run()
    build(every=1).fx_validate_end(run=run, step=1, evaluation=make_evaluation(make_example(**fields)))
    assert run.folder.plots.joinpath("comparison.png").exists() == ("skip" not in fields)


def test_an_empty_test_split_still_leaves_the_losses(run, make_evaluation):
    evaluation = attrs.evolve(make_evaluation(split="test"), examples=())
    build().fx_run_end(run=run, evaluation=evaluation)
    assert {path.name for path in run.folder.plots.iterdir()} == {"losses.png"}


@pytest.mark.parametrize("least", [0.5, 0.05, 1e-3, 1e-6, 1e-12])
def test_numbers_of_a_logarithmic_axis_do_not_run_into_each_other(least):
    records = [{"kind": "val", "step": step, "loss": value} for step, value in ((1, 5.0), (2, least))]
    figure = loss_picture(records, "Losses")
    figure.canvas.draw()
    axes = figure.axes[0]
    low, high = axes.get_ylim()
    inside = (
        label
        for tick, label in zip(axes.get_yticks(), axes.get_yticklabels(), strict=True)
        if low <= tick <= high
    )
    boxes = sorted((label.get_window_extent() for label in inside), key=lambda box: box.y0)
    assert len(boxes) >= 2
    assert all(lower.y1 < upper.y0 for lower, upper in itertools.pairwise(boxes))
