"""The tables of scores that people read, letter by letter."""

from __future__ import annotations

import json
import math

import pytest

from fxkit.cli.results import comparison_table, result_table, score_table
from fxkit.run_end import RunResult
from fxkit.scores import Comparison, Interval, Scores

BASELINES = {"silence": {"esr": 1.0, "snr_db": 0.0}, "filter": {"esr": 0.35, "snr_db": 4.56}}


@pytest.fixture(autouse=True)
def no_page(monkeypatch):
    monkeypatch.delenv("COLUMNS", raising=False)


def scores(run="runs/a", esr=0.25, snr=6.0, count=6, **rest):
    recordings = {f"take{n}": {"esr": esr + n / 100, "snr_db": snr - n / 10} for n in range(count)}
    return Scores(
        **{
            "run": run,
            "split": "test",
            "metrics": {"esr": Interval(esr, esr - 0.05, esr + 0.1), "snr_db": Interval(snr, 5.0, 7.0)},
            "recordings": recordings,
            "baselines": BASELINES,
            "higher": frozenset({"snr_db"}),
            "digests": {f"take{n}": f"sha{n}" for n in range(count)},
            **rest,
        }
    )


def test_a_run_stands_above_its_baselines():
    assert score_table(scores()) == (
        "                                 esr    snr_db\n"
        "model               0.25 [0.2, 0.35]  6 [5, 7]\n"
        "silence                            1         0\n"
        "best linear filter              0.35      4.56\n"
        "[low, high]: 95 % confidence limits for other recordings of the kind, by 6 recordings\n"
        "more is better: snr_db"
    )


def test_each_recording_is_shown_where_asked():
    few = {"esr": Interval(0.255), "snr_db": Interval(5.95)}
    assert score_table(scores(count=2, metrics=few), each=True) == (
        "                      esr  snr_db\n"
        "take0                0.25       6\n"
        "take1                0.26     5.9\n"
        "model               0.255    5.95\n"
        "silence                 1       0\n"
        "best linear filter   0.35    4.56\n"
        "2 recordings: too few for confidence limits\n"
        "more is better: snr_db"
    )


def test_limits_over_stretches_of_time_are_named_as_such():
    few = {"esr": Interval(0.25), "snr_db": Interval(6.0)}
    stretches = {"esr": Interval(0.25, 0.2, 0.3)}
    table = score_table(scores(count=1, metrics=few, stretches=stretches))
    assert "model               0.25 [0.2, 0.3]       6\n" in table
    assert "limits for other stretches of time of the same recordings; 1 recording: too few" in table
    assert "other recordings of the kind" not in table


def test_a_figure_that_is_not_finite_is_shown_as_such():
    broken = {"esr": Interval(math.nan), "snr_db": Interval(math.inf)}
    table = score_table(scores(metrics=broken))
    assert "model                nan     inf\n" in table
    assert "too few" not in table


def test_columns_without_room_follow_below(monkeypatch):
    monkeypatch.setenv("COLUMNS", "40")
    assert score_table(scores()).split("\n\n") == [
        "                                 esr\n"
        "model               0.25 [0.2, 0.35]\n"
        "silence                            1\n"
        "best linear filter              0.35",
        "                      snr_db\n"
        "model               6 [5, 7]\n"
        "silence                    0\n"
        "best linear filter      4.56\n"
        "[low, high]: 95 % confidence limits for other recordings of the kind, by 6 recordings\n"
        "more is better: snr_db",
    ]


def comparison(**rest):
    first, second = scores(), scores("runs/b", esr=0.2, snr=5.9)
    differences = {"runs/b": {"esr": Interval(-0.05, -0.06, -0.04), "snr_db": Interval(-0.1, -0.3, 0.1)}}
    return Comparison(**{"runs": (first, second), "differences": differences, **rest})


def test_runs_are_compared_with_the_first():
    assert comparison_table(comparison(notes=("l1: not compared, not all runs measure it",))) == (
        "                                     esr            snr_db\n"
        "a                       0.25 [0.2, 0.35]          6 [5, 7]\n"
        "b                        0.2 [0.15, 0.3]        5.9 [5, 7]\n"
        "silence                                1                 0\n"
        "best linear filter                  0.35              4.56\n"
        "b less a            -0.05 [-0.06, -0.04]  -0.1 [-0.3, 0.1]\n"
        "  better on                       6 of 6            0 of 6\n"
        "b: better by esr; not told apart by snr_db\n"
        "[low, high]: 95 % confidence limits for other recordings of the kind, by 6 recordings\n"
        "more is better: snr_db\n"
        "differences are paired, recording by recording; where runs are alike, 1 of 20 such limits leaves"
        " zero out by chance\n"
        "l1: not compared, not all runs measure it"
    )


@pytest.mark.parametrize(("low", "high", "word"), [(0.1, 0.3, "better by"), (-0.3, -0.1, "worse by")])
def test_more_is_better_where_the_metric_says_so(low, high, word):
    differences = {"runs/b": {"snr_db": Interval((low + high) / 2, low, high)}}
    assert f"b: {word} snr_db" in comparison_table(comparison(differences=differences))


def test_runs_whose_folders_end_alike_keep_their_whole_names():
    first, second = scores("x/run"), scores("y/run")
    both = Comparison(runs=(first, second), differences={"y/run": {}})
    assert "y/run less x/run" in comparison_table(both)


def test_json_is_strict_and_holds_limits_only_where_there_are_any():
    found = json.loads(scores(metrics={"esr": Interval(math.nan), "l1": Interval(1.0, 0.5, 2.0)}).to_json())
    assert found["metrics"] == {"esr": None, "l1": 1.0}
    assert found["intervals"] == {"l1": [0.5, 2.0]}
    compared = json.loads(comparison().to_json())
    assert compared["differences"]["runs/b"]["esr"] == {"value": -0.05, "low": -0.06, "high": -0.04}
    assert [one["run"] for one in compared["runs"]] == ["runs/a", "runs/b"]


@pytest.mark.parametrize("written", [True, False])
def test_a_run_ends_with_the_places_of_its_folder_and_of_its_report_if_it_was_written(tmp_path, written):
    result = RunResult(
        run=tmp_path,
        steps=900,
        test={"esr": 0.25},
        baselines=BASELINES,
        best=800,
        stopped=None,
        seconds=12.0,
        weights=339,
        device="cpu",
        polarity=None,
        scores=scores(),
    )
    if written:
        (tmp_path / "report.html").touch()
    ending = f"run folder: {tmp_path}" + (f"\nreport: {tmp_path / 'report.html'}" if written else "")
    assert result_table(result).endswith(f"339 weights\n{ending}")
