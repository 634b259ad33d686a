"""All callbacks in a real run, cut off and resumed: the folder is that of an uninterrupted one."""

from __future__ import annotations

import json

import pytest
import soundfile
import torch
from tensorboard.backend.event_processing.event_accumulator import EventAccumulator

import fxkit
from fxkit.runs.progress import Silent

EXPERIMENT = """
fxkit = 1
run = { name = "small", seed = 3, sample_rate = 8000 }
model = { chain = [["dry", ["drive", "amp"]]] }

[data]
type = "virtual-device"
segment = 1024
train_seconds = 0.5
val_seconds = 0.25
test_seconds = 0.25

[nodes.dry]
type = "gain"
controller = { type = "static" }

[nodes.drive]
type = "gain"
controller = { type = "lstm-control", hidden = 4 }

[nodes.amp]
type = "lstm"
hidden = 4

[losses.esr]
type = "esr"

[train]
steps = 12
batch_size = 2
validate_every = 4
log_every = 1
optimizer = { type = "adam", lr = 0.01 }

[callbacks]
saver = { type = "checkpoint", every = 3, keep = 1 }
curves = { type = "tensorboard", every = 1 }
listen = { type = "audio-samples", every = 4 }
patience = { type = "early-stopping", metric = "esr", patience = 50 }
pictures = { type = "training-plots", every = 12 }
parameters = { type = "parameter-tracks", every = 12 }
blocks = { type = "block-audio", every = 4 }
"""


class PowerCut(Silent):
    """End the process's work at a step, before anything of that step is kept."""

    def step(self, step, loss):
        if step == 11:
            raise RuntimeError("power cut")


@pytest.fixture(scope="module")
def runs(tmp_path_factory):
    folder = tmp_path_factory.mktemp("runs")
    path = folder / "small.toml"
    path.write_text(EXPERIMENT)
    whole = fxkit.run(path, out=folder / "whole")
    with pytest.raises(RuntimeError, match="power cut"):
        fxkit.run(path, out=folder / "cut", progress=PowerCut())
    resumed = fxkit.run(folder / "cut", resume=True)
    return whole, resumed


def contents(run, pattern):
    return {str(path.relative_to(run)): path.read_bytes() for path in run.glob(pattern)}


@pytest.mark.parametrize(
    "pattern", ["plots/*.png", "parameters/*", "audio/**/*.wav", "blocks/**/*.*", "metrics.jsonl"]
)
def test_pictures_audio_and_journal_have_the_same_bytes(runs, pattern):
    whole, resumed = (contents(result.run, pattern) for result in runs)
    assert whole
    assert whole == resumed


def test_weights_and_callbacks_stand_the_same(runs):
    whole, resumed = (torch.load(r.run / "checkpoints" / "last.pt", weights_only=True) for r in runs)
    assert all(torch.equal(whole["model"][name], resumed["model"][name]) for name in whole["model"])
    assert whole["callbacks"]["patience"] == resumed["callbacks"]["patience"]


def test_curves_have_each_step_once(runs):
    for result in runs:
        found = EventAccumulator(str(result.run / "tensorboard"), size_guidance={"scalars": 0}).Reload()
        assert [event.step for event in found.Scalars("train/total")] == list(range(1, 13))
        assert [event.step for event in found.Scalars("val/esr")] == [4, 8, 12]


def test_the_numbered_checkpoint_is_the_newest_alone(runs):
    for result in runs:
        names = sorted(path.name for path in (result.run / "checkpoints").iterdir())
        assert names == ["best.pt", "last.pt", "step-000012.pt"]


def test_the_run_folder_lets_one_hear_the_test(runs):
    folder = runs[0].run / "audio" / "test"
    names = {path.name.split(".")[-2] for path in folder.iterdir()}
    assert names == {"input", "target", "prediction", "residual", "stem-dry", "stem-drive+amp"}
    stem = next(folder.glob("*.residual.wav")).name.removesuffix(".residual.wav")
    audio = {name: soundfile.read(folder / f"{stem}.{name}.wav")[0] for name in ("target", "residual")}
    measured = (audio["residual"] ** 2).sum() / (audio["target"] ** 2).sum()
    printed = json.loads((runs[0].run / "results.json").read_text())["test"]["esr"]
    assert measured == pytest.approx(printed, rel=1e-4)


def test_stems_add_up_to_the_prediction(runs):
    folder = runs[0].run / "audio" / "test"
    stems = sum(soundfile.read(path)[0] for path in folder.glob("*.stem-*.wav"))
    prediction = soundfile.read(next(folder.glob("*.prediction.wav")))[0]
    assert abs(stems - prediction).max() < 1e-6


def test_moving_and_still_parameters_have_their_pictures(runs):
    names = {path.name for path in (runs[0].run / "parameters").iterdir()}
    assert names == {"history.csv", "tracks.npz", "drive.png", "dry.png", "drive-tracks.png"}
    assert {path.name for path in (runs[0].run / "plots").iterdir()} == {"comparison.png", "losses.png"}
