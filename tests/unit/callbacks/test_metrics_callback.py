"""Further metrics at triggers of their own: values, files, the best so far, and resume."""

from __future__ import annotations

import csv
import json

import attrs
import pytest

import fxkit
from fxkit import BuildContext
from fxkit.errors import AssemblyError, ExperimentError
from fxkit.runs.progress import Silent
from fxkit.traits import LossTraits
from fxkit_callbacks.metrics import Metrics

EXPERIMENT = """
fxkit = 1
run = { name = "small", seed = 3, sample_rate = 8000 }
model = { chain = ["drive"] }
nodes.drive = { type = "gain", controller = { type = "static" } }
losses.esr = { type = "esr" }
metrics.watched = { type = "l1" }

[data]
type = "virtual-device"
segment = 1024
train_seconds = 0.5
val_seconds = 0.5
test_seconds = 0.25

[train]
steps = 12
batch_size = 2
validate_every = 2
optimizer = { type = "adam", lr = 0.05 }

[callbacks.saver]
type = "checkpoint"
every = 3

[callbacks.quality]
type = "metrics"
every = 4
metrics.l1 = { type = "l1" }
metrics.level = { type = "lufs-difference" }
"""


@attrs.frozen(kw_only=True)
class Shouting:
    """Measure the output's mean magnitude, of which more is better."""

    def traits(self, ctx):
        return LossTraits(distance=False, differentiable=False, higher_is_better=True)

    def build(self, ctx):
        return lambda output, batch: output.audio.abs().mean((1, 2))


@attrs.frozen(kw_only=True)
class OfTerms(Shouting):
    """Need a term of the model."""

    def traits(self, ctx):
        return LossTraits(terms=("node.term",))


@attrs.frozen(kw_only=True)
class OfStereo(Shouting):
    """Need two channels."""

    def traits(self, ctx):
        return LossTraits(channels=(2,))


def table(run, name="quality"):
    with (run / "metrics" / f"{name}.csv").open(newline="") as stream:
        return list(csv.DictReader(stream))


def records(run, kind):
    lines = (run / "metrics.jsonl").read_text().splitlines()
    return [record for record in map(json.loads, lines) if record["kind"] == kind]


class Listening(Silent):
    """Remember what was said."""

    def __init__(self):
        self.said = []

    def message(self, text):
        self.said.append(text)


class PowerCut(Silent):
    """End the run between two saved states."""

    def step(self, step, loss):
        if step == 11:
            raise RuntimeError("power cut")


@pytest.fixture(scope="module")
def source(tmp_path_factory):
    path = tmp_path_factory.mktemp("metrics") / "small.toml"
    path.write_text(EXPERIMENT)
    return path


@pytest.fixture(scope="module")
def whole(source):
    progress = Listening()
    return fxkit.run(source, out=source.parent / "whole", progress=progress).run, progress.said


def test_it_measures_when_due_what_the_validation_played(whole):
    run, _ = whole
    rows = [row for row in table(run) if row["split"] == "val"]
    assert [int(row["step"]) for row in rows] == [4, 8, 12]
    watched = {record["step"]: record["watched"] for record in records(run, "val")}
    for row in rows:
        assert float(row["l1"]) == pytest.approx(watched[int(row["step"])], rel=1e-6)


def test_means_are_on_record(whole):
    run, _ = whole
    kept = records(run, "metrics.quality")
    assert [(record["step"], record["l1"]) for record in kept] == [
        (int(row["step"]), float(row["l1"])) for row in table(run) if row["split"] == "val"
    ]
    assert [set(record) for record in records(run, "metrics.quality.test")] == [
        {"kind", "step", "l1", "level"}
    ]


def test_the_test_is_measured_at_the_end(whole):
    run, _ = whole
    (row,) = (row for row in table(run) if row["split"] == "test")
    results = json.loads((run / "results.json").read_text())
    assert float(row["l1"]) == pytest.approx(results["test"]["watched"], rel=1e-6)


def test_a_run_cut_off_and_resumed_has_the_same_bytes(source, whole):
    run, _ = whole
    with pytest.raises(RuntimeError, match="power cut"):
        fxkit.run(source, out=source.parent / "cut", progress=PowerCut())
    resumed = fxkit.run(source.parent / "cut", resume=True).run
    for name in ("metrics/quality.csv", "metrics.jsonl"):
        assert (resumed / name).read_bytes() == (run / name).read_bytes()


def test_resuming_a_finished_run_leaves_one_test(whole):
    run, _ = whole
    before = (run / "metrics" / "quality.csv").read_bytes()
    fxkit.run(run, resume=True)
    assert (run / "metrics" / "quality.csv").read_bytes() == before


def test_a_new_best_is_told_in_the_direction_that_is_better(make_run, make_example, make_evaluation, source):
    run = make_run()
    meter = Metrics(metrics={"loud": Shouting()}, every=1).build(BuildContext())
    told = []
    for step, gain in ((1, 0.5), (2, 0.25), (3, 1.0)):
        value = float(make_example(gain=gain).prediction.abs().mean())
        told.append(meter._told(step, {"loud": value}))
    assert "best" not in told[0]
    assert "(best " in told[1]
    assert "at step 1" in told[1]
    assert "(new best; " in told[2]
    again = Metrics(metrics={"loud": Shouting()}, every=1).build(BuildContext())
    again.load_state_dict(meter.state_dict())
    assert again.best == {"loud": (value, 3)}
    assert run.said == []


def test_bests_are_told_in_a_run(whole):
    lines = [text for text in whole[1] if "  quality  " in text]
    assert [text.split()[1] for text in lines] == ["4", "8", "12", "quality"]
    assert "best" in lines[1]


@pytest.mark.parametrize(
    ("spec", "text"),
    [
        (OfTerms(), "metrics.odd: reads the model's own terms"),
        (OfStereo(), "metrics.odd: odd takes 2 channels"),
    ],
)
def test_a_metric_that_cannot_measure_this_is_refused(spec, text):
    with pytest.raises(AssemblyError, match=text):
        Metrics(metrics={"odd": spec}).build(BuildContext())


def test_an_unknown_metric_is_an_error_at_its_place(source):
    path = source.parent / "wrong.toml"
    path.write_text(EXPERIMENT.replace('"lufs-difference"', '"lufs-diference"'))
    with pytest.raises(ExperimentError, match=r"callbacks.quality.metrics.level.type: .*lufs-difference"):
        fxkit.run(path, out=source.parent / "never")


def test_no_metric_at_all_is_an_error(source):
    path = source.parent / "none.toml"
    path.write_text(EXPERIMENT.partition("metrics.l1")[0] + "metrics = {}\n")
    with pytest.raises(ExperimentError, match="name at least one metric"):
        fxkit.run(path, out=source.parent / "never")
