"""Logs of a run that was cut off and resumed have the bytes of those of an uninterrupted run."""

from __future__ import annotations

import csv
import json
import signal

import pytest

from fxkit.runs.journal import read_journal

KILLER = """
import os
import signal

import attrs

import fxkit


@attrs.frozen(kw_only=True)
class Killer:
    "End the process at a step and a point of it."

    def build(self, ctx):
        return Kill()


def cut(point, step):
    if os.environ.get("KILL_AT") == f"{point}:{step}":
        os.kill(os.getpid(), getattr(signal, os.environ.get("KILL_BY", "SIGKILL")))


class Kill:
    @fxkit.hookimpl
    def fx_gradients(self, step):
        cut("gradients", step)

    @fxkit.hookimpl
    def fx_step_end(self, step):
        cut("step", step)

    @fxkit.hookimpl
    def fx_validate_end(self, step):
        cut("validate", step)

"""

LOGS = """
[plugins.local]
"callbacks:killer" = "killer.py:Killer"

[callbacks.first]
type = "killer"

[callbacks.table]
type = "csv"
every = 3

[callbacks.wide]
type = "csv"
file = "logs/wide.csv"
form = "wide"
every = 2

[callbacks.lines]
type = "jsonl"
at = [1]
improves = "l1"

[callbacks.records]
type = "jsonl"
file = "records.jsonl"
form = "wide"
every = 1

[callbacks.rates]
type = "lr-monitor"
every = 4

[callbacks.gradients]
type = "gradient-health"
every = 5

[callbacks.checkpoint]
type = "checkpoint"
every = 2
best = 1
metric = "l1"

[callbacks.last]
type = "killer"
"""
FILES = ("log.csv", "logs/wide.csv", "log.jsonl", "records.jsonl", "metrics.jsonl")


@pytest.fixture
def experiment(fxkit, small):
    fxkit.write("killer.py", KILLER)
    plateau = small.replace('type = "cosine"', 'type = "plateau", patience = 1, ratio = 0.5')
    return fxkit.write("logs.toml", plateau + LOGS)


_REFERENCE = {}


@pytest.fixture
def whole(fxkit, experiment, tmp_path_factory):
    """The uninterrupted run, made once for all points."""
    if "run" not in _REFERENCE:
        out = tmp_path_factory.mktemp("logs") / "whole"
        done = fxkit("run", experiment, "--out", out, "--allow-local")
        assert done.returncode == 0, done.stderr
        _REFERENCE["run"] = out
    return _REFERENCE["run"]


def assert_same_logs(one, other):
    for name in FILES:
        assert (one / name).read_bytes() == (other / name).read_bytes(), name


@pytest.mark.slow
@pytest.mark.parametrize("point", ["gradients:5", "step:7", "validate:12"])
def test_killed_anywhere_and_resumed_gives_the_same_bytes(fxkit, experiment, whole, point):
    cut = fxkit("run", experiment, "--out", "cut", "--allow-local", KILL_AT=point)
    assert cut.returncode == -signal.SIGKILL
    resumed = fxkit("run", "--resume", "cut", "--allow-local")
    assert resumed.returncode == 0, resumed.stderr
    assert_same_logs(fxkit.folder / "cut", whole)


@pytest.mark.slow
def test_interrupted_and_resumed_gives_the_same_bytes(fxkit, experiment, whole):
    cut = fxkit("run", experiment, "--out", "cut", "--allow-local", KILL_AT="validate:10", KILL_BY="SIGINT")
    assert cut.returncode == 130
    assert fxkit("run", "--resume", "cut", "--allow-local").returncode == 0
    assert_same_logs(fxkit.folder / "cut", whole)


@pytest.mark.slow
def test_resuming_a_finished_run_doubles_nothing(fxkit, experiment, whole):
    before = {name: (whole / name).read_bytes() for name in FILES}
    assert fxkit("run", "--resume", whole, "--allow-local").returncode == 0
    assert {name: (whole / name).read_bytes() for name in FILES} == before


@pytest.mark.slow
def test_logs_hold_the_numbers_of_the_journal(whole):
    records = read_journal(whole / "metrics.jsonl")
    losses = {record["step"]: record["total"] for record in records if record["kind"] == "train"}
    with (whole / "log.csv").open(newline="") as stream:
        rows = list(csv.DictReader(stream))
    totals = {int(row["step"]): float(row["value"]) for row in rows if row["name"] == "total"}
    assert totals == {step: losses[step] for step in (3, 6, 9, 12)}
    validated = {record["step"]: record["l1"] for record in records if record["kind"] == "val"}
    found = {
        int(row["step"]): float(row["value"]) for row in rows if (row["kind"], row["name"]) == ("val", "l1")
    }
    assert found == validated
    lines = [json.loads(line) for line in (whole / "log.jsonl").read_text().splitlines()]
    trained = {line["step"] for line in lines if line["kind"] == "train"}
    assert 1 in trained
    assert trained - {1} <= set(validated)


@pytest.mark.slow
def test_the_wide_form_has_a_row_for_each_record_and_a_column_for_each_name(whole):
    with (whole / "logs" / "wide.csv").open(newline="") as stream:
        rows = list(csv.DictReader(stream))
    assert all(None not in row and None not in row.values() for row in rows)
    train = [row for row in rows if row["kind"] == "train"]
    assert [int(row["step"]) for row in train] == [2, 4, 6, 8, 10, 12]
    assert all(row["total"] and not row["l1"] for row in train)
    gradients = [row for row in rows if row["kind"] == "gradients"]
    assert [int(row["step"]) for row in gradients] == [5, 10]
    assert all(
        float(row["amp/gradient"]) > 0 and float(row["drive.controller/update"]) > 0 for row in gradients
    )
    assert [row["kind"] for row in rows][-1] == "test"
    records = [json.loads(line) for line in (whole / "records.jsonl").read_text().splitlines()]
    assert len([record for record in records if record["kind"] == "train"]) == 12
