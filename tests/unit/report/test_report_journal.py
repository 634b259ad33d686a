"""The journal becomes curves: losses, what callbacks recorded, parameters, and times."""

from __future__ import annotations

import attrs
import torch

from fxkit.report.contents import Contents
from fxkit.report.journal import failures, figure_charts, hook_rows, parameter_charts, single_figures
from fxkit.report.parameters import settings, track_charts
from fxkit.report.training import loss_charts, share_charts


def test_each_loss_is_drawn_for_training_and_validation(contents):
    charts = {chart.title: chart for chart in loss_charts(contents(), ("pedal",))}
    assert set(charts) == {"total loss", "error", "esr"}
    training, validation = charts["error"].lines
    assert (list(training.x), list(training.y)) == ([1, 300], [1.0, 0.5])
    assert (list(validation.x), list(validation.y)) == ([100, 200], [0.8, 0.5])
    assert charts["error"].marks == ((200.0, "kept"),)
    assert [line.name for line in charts["esr"].lines] == ["validation"]


def test_runs_are_drawn_into_one_chart(run):
    both = Contents(runs=(run(path="a"), run(path="b")))
    chart = loss_charts(both, ("a", "b"))[0]
    assert [(line.name, line.colour) for line in chart.lines] == [
        ("a, training", 0), ("a, validation", 0), ("b, training", 1), ("b, validation", 1),
    ]  # fmt: skip


def test_losses_that_fall_far_are_drawn_in_logarithms(run):
    def drawn(last):
        records = ({"kind": "val", "step": 1, "loss": 1.0}, {"kind": "val", "step": 2, "loss": last})
        return loss_charts(Contents(runs=(run(records=records),)), ("a",))[0].log_y

    assert drawn(0.01)
    assert not drawn(0.5)
    assert not drawn(-0.01)


def test_phases_are_marked(run):
    records = (
        {"kind": "phase", "step": 1, "name": "first"}, {"kind": "val", "step": 5, "loss": 1.0},
        {"kind": "phase", "step": 11, "name": "second"}, {"kind": "val", "step": 15, "loss": 1.0},
    )  # fmt: skip
    chart = loss_charts(Contents(runs=(run(records=records),)), ("a",))[0]
    assert (11.0, "second") in chart.marks
    assert "first" not in [text for _, text in chart.marks]


def test_shares_are_drawn_where_they_move(run):
    def terms(step, share):
        return {
            "kind": "terms", "step": step, "weights": {"a": 1.0, "b": 2.0},
            "gradient_share": {"a": share, "b": 1 - share},
        }  # fmt: skip

    titles = [chart.title for chart in share_charts(run(records=(terms(1, 0.5), terms(9, 0.7))))]
    assert titles == ["Share of the gradient's norm"]


def test_figures_of_callbacks_are_drawn_or_told(run):
    records = (
        {"kind": "fad", "step": 10, "distance": 4.0, "constant": 1.0, "text": "no number"},
        {"kind": "fad", "step": 20, "distance": 2.0, "constant": 1.0, "text": "no number"},
        {"kind": "fad-test", "step": 20, "distance": 3.0, "inner": {"n": 7}},
    )
    one = run(records=records)
    (chart,) = figure_charts(one)
    assert (chart.title, list(chart.lines[0].y)) == ("fad: distance", [4.0, 2.0])
    assert single_figures(one) == (("fad-test: distance", "3"), ("fad-test: inner.n", "7"))


def test_parameters_over_the_training_stand_together_by_name(run, card, parameter):
    records = tuple(
        {"kind": "parameters", "step": step, "tone.frequency.1": 100.0 + step, "tone.frequency.2": 1000.0}
        for step in (10, 20)
    )
    (chart,) = parameter_charts(attrs.evolve(run(records=records), card=card(parameter())))
    assert (chart.title, chart.y_label, chart.log_y) == ("tone.frequency", "Hz", True)
    assert [list(line.y) for line in chart.lines] == [[110.0, 120.0], [1000.0, 1000.0]]


def test_settings_stand_in_their_range_by_its_mapping(run, card, parameter):
    made = settings(
        attrs.evolve(run(), card=card(parameter(), parameter("gain", -10, 10, "linear", (5.0,), "dB")))
    )
    assert [one.places for one in made] == [(0.3333, 0.6667), (0.75,)]
    assert made[1].unit == "dB"


def test_parameters_that_move_are_drawn_over_the_recording(run, example):
    moving, still = torch.linspace(0, 1, 9)[None], torch.ones(1, 9)
    one = attrs.evolve(example(seconds=2.0), parameters={"tone.gain": moving, "tone.q": still})
    (chart,) = track_charts(run(examples=(one,)))
    assert chart.title == "tone.gain"
    assert list(chart.lines[0].y) == moving[0].tolist()
    assert chart.lines[0].x[0] == 0.0
    assert chart.lines[0].x[-1] <= 2.0


def test_hook_times_come_from_the_newest_trace(run):
    def trace(seconds):
        row = {
            "callback": "listen",
            "hook": "fx_run_end",
            "calls": 2,
            "seconds": seconds,
            "mean": 1.0,
            "worst": 1.5,
        }
        return {"kind": "hooks", "step": 9, "wall": 10.0, "hooks": [{**row, "worst_call": 1}]}

    assert hook_rows(run()) == ()
    (row,) = hook_rows(run(records=(trace(1.0), trace(2.0))))
    assert (row.callback, row.hook, row.calls, row.total, row.share) == (
        "listen", "fx_run_end", 2, "2.000 s", "20.00%",
    )  # fmt: skip


def test_failures_of_callbacks_are_told(run):
    records = ({"kind": "callback-errors", "step": 9, "listen": {"fx_run_end": 3}},)
    assert failures(run(records=records)) == ("callbacks.listen failed: fx_run_end 3",)
