"""Many callbacks, one validation: the model runs once over each recording, and nothing of it is disturbed."""

from __future__ import annotations

import json

import pytest
import torch

import fxkit
from fxkit.engine import evaluation
from fxkit.runs.folder import RunFolder

EXPERIMENT = """
fxkit = 1
run = { name = "small", seed = 3, sample_rate = 8000 }
model = { chain = ["pre", "drive", "post"] }

[data]
type = "virtual-device"
segment = 1024
train_seconds = 0.5
val_seconds = 0.25
test_seconds = 0.25

[nodes]
pre = { type = "gain", controller = { type = "static" } }
drive = { type = "gain", controller = { type = "lstm-control", hidden = 4 } }
post = { type = "gain", controller = { type = "static" } }

[losses.esr]
type = "esr"

[train]
steps = 4
batch_size = 2
validate_every = 2
optimizer = { type = "sgd", lr = 1e-30 }
"""

CALLBACKS = """
[callbacks]
listen = { type = "audio-samples", every = 2 }
quality = { type = "metrics", every = 2, metrics.l1 = { type = "l1" }, metrics.si = { type = "si-sdr" } }
response = { type = "frequency-response", every = 2, seconds = 0.5, levels = [-18.0] }
parameters = { type = "parameter-tracks", every = 2 }
plots = { type = "training-plots", every = 2 }
blocks = { type = "block-audio", every = 2 }
curves = { type = "tensorboard", every = 1, audio_every = 1 }
rows = { type = "csv" }
"""


def run(folder, name, text):
    path = folder / f"{name}.toml"
    path.write_text(text)
    return fxkit.run(path, out=folder / name).run


@pytest.fixture(scope="module")
def folders(tmp_path_factory):
    """A run without callbacks and one with eight, each with the forward passes of its evaluations."""
    folder = tmp_path_factory.mktemp("one-pass")
    counted = {}
    patch = pytest.MonkeyPatch()
    process = evaluation.process
    for name, text in (("bare", EXPERIMENT), ("full", EXPERIMENT + CALLBACKS)):
        passes = []

        def counting(model, audio, passes=passes, **rest):
            seen = []
            handle = model.register_forward_pre_hook(lambda *_: seen.append(1))
            try:
                return process(model, audio, **rest)
            finally:
                handle.remove()
                passes.append(len(seen))

        patch.setattr(evaluation, "process", counting)
        forwards = []
        patch.setattr(fxkit.model.graph.Model, "forward", _counted(forwards, fxkit.model.graph.Model.forward))
        counted[name] = (run(folder, name, text), passes, forwards)
        patch.undo()
    return counted


def _counted(forwards, forward):
    def count(self, audio, **rest):
        forwards.append(tuple(audio.shape))
        return forward(self, audio, **rest)

    return count


def recordings(forwards):
    return sum(shape == (1, 1, 2000) for shape in forwards)


def test_with_everything_on_the_model_runs_once_per_recording(folders):
    (_, bare, forwards), (_, full, forwards_on) = folders["bare"], folders["full"]
    assert bare == full == [1, 1, 1]
    # Recordings have 2000 samples; what else runs are training segments and the test signals of responses.
    assert [recordings(of) for of in (forwards, forwards_on)] == [3, 3]


def test_callbacks_change_nothing_that_is_learnt_or_scored(folders):
    def results(name):
        return json.loads((folders[name][0] / "results.json").read_text())["test"]

    def weights(name):
        return torch.load(RunFolder(folders[name][0]).last, weights_only=True)["model"]

    assert results("bare") == results("full")
    assert all(torch.equal(weight, weights("full")[key]) for key, weight in weights("bare").items())


@pytest.mark.parametrize("place", ["audio", "blocks"])
def test_unchanged_weights_are_written_as_the_same_bytes(folders, place):
    folder = folders["full"][0] / place
    first, second = (
        {path.name: path.read_bytes() for path in (folder / f"step-00000{step}").iterdir()} for step in (2, 4)
    )
    assert first
    assert first == second


def test_everything_that_is_asked_for_is_there(folders):
    folder = folders["full"][0]
    for name in (
        "metrics/quality.csv", "parameters/history.csv", "parameters/tracks.npz", "plots/losses.png",
        "parameters/drive-tracks.png", "plots/comparison.png", "blocks/test/levels.csv",
        "responses/frequency-response.png",
    ):  # fmt: skip
        assert (folder / name).is_file(), name
    assert not list(folder.rglob(".*.part"))
