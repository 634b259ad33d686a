"""Weights that move, metrics that choose and outputs upside down, through the real command."""

from __future__ import annotations

import json

import numpy as np
import pytest
import soundfile
import torch

LOCAL = """
import os
import signal

import attrs

import fxkit
from fxkit import opt
from fxkit.traits import LossTraits


@attrs.frozen(kw_only=True)
class Killer:
    "End the process in the hook of a step, as a power cut would."

    def build(self, ctx):
        return Kill()


class Kill:
    @fxkit.hookimpl
    def fx_validate_end(self, step):
        if os.environ.get("KILL_AT") == str(step):
            os.kill(os.getpid(), signal.SIGKILL)


@attrs.frozen(kw_only=True)
class Level:
    "Measure how loud the output is: more is better."

    def traits(self, ctx):
        return LossTraits(higher_is_better=True, distance=False, differentiable=False)

    def build(self, ctx):
        return lambda output, batch: output.audio.abs().mean(dim=(1, 2))
"""

MOVING = """
[losses.sum]
type = "weighted-sum"
terms = [{ type = "l1" }, { type = "dc" }]
weight = { type = "cosine", start = 1.0, final = 0.25, end = 0.8 }

[metrics.level]
type = "level"

[callbacks.save]
type = "checkpoint"
every = 4

[callbacks.killer]
type = "killer"

[plugins.local]
"callback:killer" = "local.py:Killer"
"loss:level" = "local.py:Level"
"""


@pytest.fixture
def moving(fxkit, small):
    """The small experiment with weights that move and plugins of its own."""
    fxkit.write("local.py", LOCAL)
    text = small.replace("floor = -30.0", 'floor = -30.0\nweight = { type = "delayed", after = 3 }')
    return fxkit.write("moving.toml", text.replace("[train]", f'{MOVING}\n[train]\nbest = "level"'))


def records(folder, kind):
    lines = (folder / "metrics.jsonl").read_text(encoding="utf-8").splitlines()
    return [one for one in map(json.loads, lines) if one["kind"] == kind]


@pytest.mark.slow
def test_a_run_that_was_cut_off_goes_on_with_the_same_weights_of_losses(fxkit, moving):
    command = ("run", "moving.toml", "--allow-local", "--out")
    assert fxkit(*command, "whole").returncode == 0
    assert fxkit(*command, "cut", KILL_AT="10").returncode == -9
    done = fxkit("run", "--resume", "cut", "--allow-local")
    assert done.returncode == 0, done.stderr
    whole, cut = fxkit.folder / "whole", fxkit.folder / "cut"
    for kind in ("terms", "train", "val", "polarity"):
        assert records(cut, kind) == records(whole, kind) != []
    states = [torch.load(one / "checkpoints" / "last.pt", weights_only=True) for one in (whole, cut)]
    for key, value in states[0]["model"].items():
        assert torch.equal(value, states[1]["model"][key])
    terms = records(whole, "terms")
    assert [one["weights"]["error"] for one in terms] == [0.0] * 3 + [1.0] * 9
    shares = [min(1.0, step / 11 / 0.8) for step in range(12)]
    expected = 1.0 + (0.25 - 1.0) * (1 - np.cos(np.pi * np.array(shares))) / 2
    assert [one["weights"]["sum"] for one in terms] == pytest.approx(expected)
    assert "losses of step 12" in done.stderr


@pytest.mark.slow
def test_the_best_weights_may_be_those_of_the_highest_value(fxkit, moving):
    done = fxkit(
        "run", "moving.toml", "--allow-local", "--out", "run", "--json", "--set", "train.validate_every=2"
    )
    assert done.returncode == 0, done.stderr
    found = {one["step"]: one["level"] for one in records(fxkit.folder / "run", "val")}
    assert json.loads(done.stdout.splitlines()[-1])["best"] == max(found, key=found.get)
    best = torch.load(fxkit.folder / "run" / "checkpoints" / "best.pt", weights_only=True)
    assert best["value"] == pytest.approx(max(found.values()))


def test_a_folder_to_start_from_is_looked_for_before_the_data(fxkit, small):
    fxkit.write(
        "start.toml", small.replace('type = "virtual-device"', 'type = "paired-audio"\nroot = "empty"')
    )
    text = (fxkit.folder / "start.toml").read_text(encoding="utf-8")
    for key in ("train_seconds = 2.0\n", "val_seconds = 0.5\n", "test_seconds = 0.5\n"):
        text = text.replace(key, "")
    fxkit.write("start.toml", text)
    (fxkit.folder / "empty").mkdir()
    (fxkit.folder / "runs" / "first").mkdir(parents=True)
    (fxkit.folder / "runs" / "first" / "resolved.toml").write_text("fxkit = 1\n", encoding="utf-8")
    for extra in ((), ("--dry-run",)):
        done = fxkit("run", "start.toml", "--init", "runs/firts", *extra)
        assert done.returncode == 4
        assert done.stderr.splitlines() == [
            f'run.init: {fxkit.folder}/runs/firts: no such run folder; did you mean "first"?'
        ]


INVERTED = """
fxkit = 1

[run]
name = "inverted"
sample_rate = 16000
device = "cpu"

[data]
type = "paired-audio"
root = "pairs"
segment = 2048

[nodes.drive]
type = "gain"
controller = { type = "static" }

[nodes.clip]
type = "tanh"
controller = { type = "static" }

[model]
chain = ["drive", "clip"]

[losses.spectral]
type = "multi-resolution-stft"
fft_sizes = [256, 1024]

[train]
steps = 30
batch_size = 4
validate_every = 10
optimizer = { type = "adam", lr = 0.05 }
"""


@pytest.mark.slow
def test_a_run_that_comes_out_upside_down_says_so(fxkit):
    draw = np.random.default_rng(0)
    for split, seconds in (("train", 3), ("val", 1), ("test", 1)):
        dry = np.cumsum(draw.standard_normal(16000 * seconds)) * 0.02
        dry -= np.convolve(dry, np.ones(400) / 400, mode="same")
        for side, audio in (("input", dry), ("target", -np.tanh(3 * dry))):
            path = fxkit.folder / "pairs" / split / side / f"{split}.wav"
            path.parent.mkdir(parents=True)
            soundfile.write(path, audio.astype("float32"), 16000, subtype="FLOAT")
    fxkit.write("inverted.toml", INVERTED)
    checked = fxkit("check", "inverted.toml")
    note = "[losses]: no loss sees the sign (spectral), so that the model may come out upside down; add one"
    assert note in checked.stderr
    done = fxkit("run", "inverted.toml", "--out", "run", "--json")
    assert done.returncode == 0, done.stderr
    assert note in done.stderr
    told = [line for line in done.stderr.splitlines() if "the output is upside down" in line]
    assert [line.split("  ")[0] for line in told] == ["step 20", "step 30"]
    assert "no loss of this run sees the sign (spectral)" in told[0]
    result = json.loads(done.stdout.splitlines()[-1])["polarity"]
    assert result["inverted"]
    assert result["correlation"] < -0.9
    assert result["inverted_esr"] < 0.2 < 1 < result["esr"]
    assert [one["inverted"] for one in records(fxkit.folder / "run", "polarity")] == [True] * 4
    seeing = fxkit("run", "inverted.toml", "--out", "seeing", "--set", "losses.spectral.type=esr")
    assert "warning:" not in seeing.stderr
