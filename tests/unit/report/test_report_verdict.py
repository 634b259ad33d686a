"""The verdict says in words what the figures say."""

from __future__ import annotations

import attrs
import pytest

from fxkit.report.contents import Contents
from fxkit.report.facts import data_digest, duration, run_names
from fxkit.report.figures import differences, figures
from fxkit.report.verdict import comparison_line, main_metric, verdicts
from fxkit.scores import Comparison, Interval, Scores


def line(contents):
    return verdicts(contents)[0].line


def test_plain_esr_tells_most(run):
    assert main_metric(run()) == "esr"


def test_esr_is_told_in_decibels_beside_filter_and_input(contents):
    said = line(contents(esr=0.01))
    assert "20.0 dB quieter" in said
    assert "It would be 6.0 dB quieter with the best linear filter" in said
    assert "and 1.0 dB quieter with the untouched input." in said


@pytest.mark.parametrize(
    ("esr", "conclusion"),
    [
        (0.01, "learnt what no linear filter can do"),
        (0.2, "little better than a linear filter"),
        (0.3, "a linear filter does as well"),
        (1.2, "Silence would score as well"),
    ],
)
def test_conclusion_follows_the_filter(contents, esr, conclusion):
    assert conclusion in line(contents(esr=esr))


def test_without_baselines_there_is_no_comparison(contents):
    assert (
        line(contents(baselines={})) == "What the model gets wrong is 20.0 dB quieter than the sound itself."
    )


def test_other_metrics_are_compared_with_the_best_baseline(contents):
    made = contents(esr=0.3)
    plain = attrs.evolve(made.runs[0], resolved={})
    said = line(Contents(runs=(plain,)))
    assert "error 0.6 (less is better): no better than" in said
    assert "best linear filter reaches 0.3" in said


def test_more_can_be_better(run):
    one = run(esr=0.3)
    scores = attrs.evolve(one.scores, higher=frozenset({"error"}))
    assert "more is better): no better" in line(
        Contents(runs=(attrs.evolve(one, resolved={}, scores=scores),))
    )


def test_a_single_gain_can_be_the_rival(contents):
    said = line(contents(esr=0.3, baselines={"gain": {"esr": 0.25}, "filter": {"esr": 0.4}}))
    assert "the input at another level does as well" in said


def test_an_output_that_is_upside_down_is_told(contents):
    def said(*inverted):
        records = tuple({"kind": "polarity", "step": n, "inverted": one} for n, one in enumerate(inverted))
        return "upside down" in line(contents(records=records))

    assert said(False, True)
    assert not said(True, False)
    assert not said()


def compared(run, low, high, higher=()):
    first, second = run(path="runs/a", esr=0.01), run(path="runs/b", esr=0.02)
    if higher:
        first = attrs.evolve(first, scores=attrs.evolve(first.scores, higher=frozenset(higher)))
    difference = {"runs/b": {"esr": Interval((low + high) / 2, low, high)}}
    comparison = Comparison(runs=(first.scores, second.scores), differences=difference)
    return Contents(runs=(first, second), comparison=comparison)


def test_a_difference_is_better_worse_or_unclear_by_its_limits(run):
    def verdict(*options):
        return differences(compared(run, *options), ("a", "b"))[0].verdict

    assert verdict(0.005, 0.015) == "worse"
    assert verdict(-0.015, -0.005) == "better"
    assert verdict(-0.005, 0.005) == "no clear difference"
    assert verdict(0.005, 0.015, ("esr",)) == "better"


def test_comparison_line_names_the_runs_and_the_decibels(run):
    made = compared(run, 0.005, 0.015)
    said = comparison_line(made, ("a", "b"))
    assert said.startswith("b is worse than a, its error 3.0 dB louder:")
    assert comparison_line(Contents(runs=made.runs[:1]), ("a",)) == ""


def test_bars_share_one_scale_from_zero(contents):
    made = {figure.name: figure for figure in figures(contents(esr=0.1), ("pedal",))}
    bars = {bar.name: bar for bar in made["esr"].bars}
    assert [bars["model"].stop, bars["input unchanged"].stop, bars["silence"].stop] == [0.1, 0.8, 1.0]
    assert (bars["model"].low, bars["model"].high) == (0.09, 0.12)
    assert bars["model"].limits == "0.09 to 0.12"


def test_negative_figures_grow_to_the_left(run):
    scores = Scores(
        run="r", split="test", metrics={"si-sdr": Interval(15.0)}, recordings={},
        baselines={"input": {"si-sdr": -5.0}, "silence": {"si-sdr": float("-inf")}},
    )  # fmt: skip
    bars = {
        bar.name: bar for bar in figures(Contents(runs=(attrs.evolve(run(), scores=scores),)), ("r",))[0].bars
    }
    assert (bars["model"].start, bars["model"].stop) == (0.25, 1.0)
    assert (bars["input unchanged"].start, bars["input unchanged"].stop) == (0.0, 0.25)
    assert bars["silence"].text == "none"


def test_runs_are_called_by_what_tells_them_apart(run):
    assert run_names(Contents(runs=(run(path="runs/a"), run(path="runs/b")))) == ("a", "b")
    assert run_names(Contents(runs=(run(path="x/a"), run(path="y/a")))) == ("x/a", "y/a")
    assert run_names(Contents(runs=(run(path="x/a"), run(path="x/a")))) == ("1: a", "2: a")


def test_digest_of_data_changes_with_content_alone():
    before = {"train": {"a": "00", "b": "11"}}
    assert data_digest(before) == data_digest({"train": {"y": "11", "x": "00"}})
    assert data_digest(before) != data_digest({"train": {"a": "00", "b": "12"}})
    assert data_digest(before) != data_digest({"test": {"a": "00", "b": "11"}})


@pytest.mark.parametrize(("seconds", "text"), [(42, "42 s"), (600, "10.0 min"), (7200, "2.0 h")])
def test_durations_are_for_people(seconds, text):
    assert duration(seconds) == text
