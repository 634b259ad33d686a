"""Responses, curves and summaries of real runs: files, figures, and the same after a run was cut off."""

from __future__ import annotations

import csv
import json
from types import SimpleNamespace

import numpy as np
import pytest
from PIL import Image

import fxkit
from fxkit.errors import FxkitError
from fxkit.inspection.response import frequency_response
from fxkit.inspection.subject import open_subject
from fxkit.runs.progress import Silent
from fxkit_callbacks._probing import check_probing, knob_tensor

EXPERIMENT = """
fxkit = 1
run = { name = "small", seed = 3, sample_rate = 8000 }
model = { chain = ["drive", "amp"] }

[data]
type = "virtual-device"
segment = 1024
train_seconds = 0.5
val_seconds = 1.0
test_seconds = 1.0

[nodes.drive]
type = "gain"
controller = { type = "static" }

[nodes.amp]
type = "lstm"
hidden = 4

[losses.esr]
type = "esr"

[train]
steps = 8
batch_size = 2
validate_every = 4
optimizer = { type = "adam", lr = 0.01 }

[callbacks]
saver = { type = "checkpoint", every = 2, keep = 1 }
summary = { type = "model-summary", seconds = 0.05 }
response = { type = "frequency-response", every = 4, seconds = 0.5, levels = [-20.0, -6.0] }
curve = { type = "static-curve", every = 4 }
"""


class Watching(Silent):
    """Keep what is said, and end the process's work at a step if told."""

    def __init__(self, until=None):
        self.said, self.until = [], until

    def message(self, text):
        self.said.append(text)

    def step(self, step, loss):
        if step == self.until:
            raise RuntimeError("power cut")


@pytest.fixture(scope="module")
def experiment(tmp_path_factory):
    path = tmp_path_factory.mktemp("responses") / "small.toml"
    path.write_text(EXPERIMENT)
    return path


@pytest.fixture(scope="module")
def whole(experiment):
    watching = Watching()
    result = fxkit.run(experiment, out=experiment.parent / "whole", progress=watching)
    return result.run, watching.said


@pytest.fixture(scope="module")
def plain(experiment):
    """Return the same run with nothing measured before its end."""
    settings = ["callbacks.response.every=0", "callbacks.curve.every=0", "callbacks.summary.seconds=0.0"]
    return fxkit.run(experiment, settings, out=experiment.parent / "plain").run


def rows(path):
    return list(csv.DictReader(path.read_text().splitlines()))


def records(run, kind):
    lines = (json.loads(line) for line in (run / "metrics.jsonl").read_text().splitlines())
    return [line for line in lines if line["kind"] == kind]


def test_every_picture_and_table_is_there(whole):
    names = {path.name for path in (whole[0] / "responses").iterdir()}
    pictures = ["frequency-response", "frequency-response-nodes", "frequency-response-steps", "static-curve"]
    assert {f"{name}.png" for name in pictures} <= names
    assert names - {f"{name}.png" for name in pictures} == {
        "frequency-response.csv", "frequency-response-steps.csv", "static-curve.csv",
    }  # fmt: skip
    for name in pictures:
        with Image.open(whole[0] / "responses" / f"{name}.png") as picture:
            assert picture.width == 1000
            assert np.asarray(picture.convert("L")).std() > 5


def test_the_table_has_the_response_of_the_kept_weights(whole):
    found = rows(whole[0] / "responses" / "frequency-response.csv")
    assert float(found[0]["frequency_hz"]) == 20.0
    assert float(found[-1]["frequency_hz"]) == pytest.approx(4000.0)
    model = fxkit.load(whole[0], device="cpu").model
    response = frequency_response(model, levels=(-20.0, -6.0), seconds=0.5)
    gains = [float(row["gain_db"]) for row in found]
    assert np.allclose(gains, response.whole.small.magnitude_db, atol=1e-3)
    assert np.allclose(
        [float(row["drive.alone.gain_db"]) for row in found],
        response.nodes["drive"].alone.small.magnitude_db,
        atol=1e-3,
    )
    # The device's own gain, from the recording.
    assert {"target_recorded_db", "target_coherence", "h3_db_at_-6dbfs"} <= found[0].keys()


def test_how_the_gain_moved_has_a_column_for_each_validation(whole):
    found = rows(whole[0] / "responses" / "frequency-response-steps.csv")
    assert list(found[0]) == ["frequency_hz", "step_4_db", "step_8_db"]
    assert any(row["step_4_db"] != row["step_8_db"] for row in found)


def test_figures_go_to_the_journal(whole):
    for kind in ("frequency-response", "static-curve"):
        assert [record["step"] for record in records(whole[0], kind)] == [4, 8]
        assert len(records(whole[0], f"{kind}.test")) == 1
    (test,) = records(whole[0], "frequency-response.test")
    assert {"gain_1khz_db", "low_3db_hz", "high_3db_hz", "thd_1khz_-20dbfs", "thd_1khz_-6dbfs"} <= test.keys()


def test_a_resumed_run_measures_the_same(whole, experiment):
    cut = experiment.parent / "cut"
    with pytest.raises(RuntimeError, match="power cut"):
        fxkit.run(experiment, out=cut, progress=Watching(until=7))
    fxkit.run(cut, resume=True)
    for name in ("frequency-response.csv", "frequency-response-steps.csv", "static-curve.csv"):
        assert (cut / "responses" / name).read_bytes() == (whole[0] / "responses" / name).read_bytes()


def test_measuring_leaves_the_training_as_it_is(whole, plain):
    first, second = (fxkit.load(run, device="cpu").model.state_dict() for run in (plain, whole[0]))
    assert all((first[name] == second[name]).all() for name in first)


def test_the_summary_tells_nodes_costs_and_speed(whole):
    text = (whole[0] / "model.txt").read_text()
    assert any("in all" in line and "streams" in line for line in whole[1])
    assert "times faster than real time here" in text
    document = json.loads((whole[0] / "model.json").read_text())
    assert list(document["nodes"]) == ["drive", "amp"]
    assert document["weights"] == sum(part["weights"] for part in document["nodes"].values()) + 1
    assert document["timing"]["block"] == 512
    assert document["timing"]["real_time"] > 0


def test_a_summary_need_not_be_timed(plain):
    assert json.loads((plain / "model.json").read_text())["timing"] is None
    assert "real time" not in (plain / "model.txt").read_text()


@pytest.mark.parametrize("callback", ["response", "curve"])
@pytest.mark.parametrize(
    ("setting", "message"),
    [
        ("knobs=[1.0]", r"knobs = \[1.0\] do not fit; the recordings have: none"),
        ("levels=[]", "levels is empty"),
    ],
)
def test_options_that_do_not_fit_are_refused_before_the_first_step(
    experiment, tmp_path, callback, setting, message
):
    with pytest.raises(FxkitError, match=message):
        fxkit.run(experiment, [f"callbacks.{callback}.{setting}"], out=tmp_path / "run")


def test_synths_are_refused_with_the_reason():
    run = SimpleNamespace(model=open_subject("harmonic-synth").model)
    with pytest.raises(FxkitError, match=r"static-curve: decoder: reads features .* has no response"):
        check_probing(run, "static-curve", (), (0.0,))


def test_knobs_are_given_in_the_units_of_the_device():
    ctx = SimpleNamespace(knobs=("drive", "tone"), knob_ranges={"drive": (0.0, 10.0), "tone": (-1.0, 1.0)})
    nodes = {"amp": SimpleNamespace(ctx=ctx)}
    run = SimpleNamespace(model=SimpleNamespace(plan=SimpleNamespace(nodes=nodes)))
    assert knob_tensor(run, (2.5, 0.0)).tolist() == [0.25, 0.5]
    assert knob_tensor(run, ()) is None
    for wrong in ((2.5,), (11.0, 0.0)):
        with pytest.raises(FxkitError, match=r"drive \(0 to 10\), tone \(-1 to 1\)"):
            knob_tensor(run, wrong)
