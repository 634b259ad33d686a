"""What the logs hold: every value with all its digits, in columns or lines, in files of the run folder."""

from __future__ import annotations

import csv
import errno
import io
import json
import math
from types import SimpleNamespace

import pytest

from fxkit import BuildContext, RunError
from fxkit_callbacks.csv_log import CSV
from fxkit_callbacks.jsonl_log import JSONL


def opened(run, spec):
    log = spec.build(BuildContext())
    run.experiment.callbacks[f"log{len(run.experiment.callbacks)}"] = SimpleNamespace(
        spec=spec, path=f"callbacks.log{len(run.experiment.callbacks)}"
    )
    log.fx_run_start(run=run)
    return log


def rows(run, name="log.csv"):
    text = run.folder.path.joinpath(name).read_bytes().decode()
    return list(csv.DictReader(io.StringIO(text, newline="")))


def lines(run, name="log.jsonl"):
    return [json.loads(line) for line in run.folder.path.joinpath(name).read_text().splitlines()]


def test_long_csv_has_a_row_for_each_value_with_all_digits(make_run, make_evaluation):
    run = make_run()
    log = opened(run, CSV(every=2))
    for step in (1, 2):
        log.fx_step_end(run=run, step=step, losses={"esr": 0.1 + 0.2, "total": 1 / 3})
    log.fx_validate_end(run=run, step=2, evaluation=make_evaluation(esr=0.25))
    log.fx_figures(run=run, step=2, name="lr", values={"amp": 1e-5})
    run.step = 2
    log.fx_run_end(run=run, evaluation=make_evaluation(split="test", esr=math.inf))
    found = [tuple(row.values()) for row in rows(run)]
    assert found == [
        ("2", "train", "esr", "0.30000000000000004"),
        ("2", "train", "total", "0.3333333333333333"),
        ("2", "val", "esr", "0.25"),
        ("2", "lr", "amp", "1e-05"),
        ("2", "test", "esr", "inf"),
    ]


def test_wide_csv_gives_rows_before_a_new_column_an_empty_cell(make_run):
    run = make_run()
    log = opened(run, CSV(form="wide", every=1))
    log.fx_step_end(run=run, step=1, losses={"esr": 0.5})
    log.fx_figures(run=run, step=1, name='odd, "name"', values={"a,b\nc": 1.0, "esr": 2.0})
    log.fx_step_end(run=run, step=2, losses={"esr": 0.25})
    assert rows(run) == [
        {"step": "1", "kind": "train", "esr": "0.5", "a,b c": ""},
        {"step": "1", "kind": 'odd, "name"', "esr": "2.0", "a,b c": "1.0"},
        {"step": "2", "kind": "train", "esr": "0.25", "a,b c": ""},
    ]


def test_jsonl_has_a_line_for_each_value_or_for_each_record(make_run):
    run = make_run()
    for log in (opened(run, JSONL(every=1)), opened(run, JSONL(every=1, form="wide", file="wide.jsonl"))):
        log.fx_step_end(run=run, step=3, losses={"esr": 0.5, "step": math.nan})
    place = {"step": 3, "kind": "train"}
    assert lines(run) == [{**place, "name": "esr", "value": 0.5}, {**place, "name": "step", "value": None}]
    assert lines(run, "wide.jsonl") == [{"esr": 0.5, "step": 3, "kind": "train"}]


@pytest.mark.parametrize("spec", [CSV(every=1), CSV(every=1, form="wide"), JSONL(every=1, file="log.csv")])
@pytest.mark.parametrize("extra", ["", "9,tra"])
def test_a_resumed_run_drops_what_came_behind_its_state(make_run, spec, extra):
    whole, cut = make_run(name="whole"), make_run(name="cut")
    one, other = opened(whole, spec), opened(cut, spec)
    for step in (1, 2):
        for run, log in ((whole, one), (cut, other)):
            log.fx_step_end(run=run, step=step, losses={"esr": 1 / step})
    state = other.state_dict()
    other.fx_figures(run=cut, step=2, name="given up", values={"wider": 1.0})
    other.fx_close()
    path = cut.folder.path / "log.csv"
    path.write_bytes(path.read_bytes() + extra.encode())
    again = spec.build(BuildContext())
    again.load_state_dict(state)
    again.fx_run_start(run=cut)
    for run, log in ((whole, one), (cut, again)):
        log.fx_step_end(run=run, step=3, losses={"esr": 9.0, "l1": 2.0})
        log.fx_close()
    assert path.read_bytes() == (whole.folder.path / "log.csv").read_bytes()


def test_a_run_that_starts_over_starts_its_log_over(make_run):
    run = make_run()
    run.folder.path.joinpath("log.jsonl").write_text("old\n")
    opened(run, JSONL())
    assert lines(run) == []


def test_figures_that_are_published_before_the_log_has_started_are_kept(make_run):
    run, log = make_run(), JSONL().build(BuildContext())
    log.fx_figures(run=run, step=0, name="model", values={"weights": 5})
    log.fx_run_start(run=run)
    assert lines(run) == [{"step": 0, "kind": "model", "name": "weights", "value": 5.0}]


def test_a_disk_that_takes_half_a_line_leaves_none_of_it(make_run, monkeypatch):
    run = make_run()
    log = opened(run, JSONL(every=1, form="wide"))
    log.fx_step_end(run=run, step=1, losses={"esr": 1.0})
    real = log.file._stream

    class Full:
        fileno = real.fileno

        def write(self, content):
            real.write(content[:5])
            raise OSError(errno.ENOSPC, "No space left on device")

    monkeypatch.setattr(log.file, "_stream", Full())
    with pytest.raises(OSError, match="No space left"):
        log.fx_step_end(run=run, step=2, losses={"esr": 1.0})
    monkeypatch.setattr(log.file, "_stream", real)
    log.fx_step_end(run=run, step=3, losses={"esr": 1.0})
    assert [line["step"] for line in lines(run)] == [1, 3]


@pytest.mark.parametrize("name", ["../up.csv", "/tmp/absolute.csv", ".", "a/../../b.csv"])
def test_no_log_leads_out_of_the_run_folder(make_run, name):
    with pytest.raises(RunError, match="is not inside the run folder"):
        opened(make_run(), CSV(file=name))


@pytest.mark.parametrize(
    "name", ["metrics.jsonl", "./resolved.toml", "checkpoints/log.csv", "audio", "results.json"]
)
def test_no_log_takes_a_place_of_the_run_itself(make_run, name):
    with pytest.raises(RunError, match="belongs to fxkit; choose another name"):
        opened(make_run(), CSV(file=name))


def test_two_logs_cannot_share_a_file(make_run):
    run = make_run()
    opened(run, CSV(file="log"))
    with pytest.raises(RunError, match=r'callbacks.log1.file: "log" is the file of callbacks.log0, too'):
        opened(run, JSONL(file="log"))
