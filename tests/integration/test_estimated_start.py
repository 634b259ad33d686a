"""A flanger learns from recordings of which nothing is known, once its sweep has been estimated."""

from __future__ import annotations

import math

import numpy as np
import pytest
import soundfile
import torch

import fxkit
from fxkit_signal.delay_line import delay_line

RATE = 8000
FILE = """
fxkit = 1
run = { name = "estimate", sample_rate = 8000 }

[data]
type = "paired-audio"
root = "ROOT"
segment = 4000
warmup = 800
start = "_([0-9]+)s$"

[nodes.flanger]
type = "NODE"
controller = { type = "static" }

[model]
chain = ["flanger"]

[losses.error]
type = "esr"

[train]
steps = STEPS
batch_size = 4
optimizer = { type = "adam", lr = 0.01 }

[callbacks.start]
type = "estimate-start"
"""
CLOCK = """
[controllers.clock]
type = "static"
lr = 0.02

[nodes.flanger.parameters.rate]
controller = "clock"
"""


def notes(seed, seconds):
    draw = np.random.default_rng(seed)
    time = np.arange(RATE // 4) / RATE
    sound = []
    for _ in range(seconds * 4):
        pitch = 110 * 2 ** (2 * draw.random())
        tone = sum(np.sin(2 * np.pi * pitch * k * time + k) / k for k in range(1, 10))
        sound.append(0.2 * tone * np.exp(-6 * time))
    return np.concatenate(sound) + 0.003 * draw.standard_normal(len(time) * seconds * 4)


def flanged(dry, start):
    """From 2 to 5 ms and back 0.4 times a second, from 0.2 of a turn on, 20 % around the loop."""
    time = start + torch.arange(len(dry), dtype=torch.float64) / RATE
    delay = 16 + 24 * (0.5 + 0.5 * torch.sin(2 * math.pi * (0.4 * time + 0.2)))
    sound = torch.from_numpy(dry)[None, None]
    wet, _ = delay_line(sound, delay[None, None], torch.full((1, 1, 1), 0.2), longest=100)
    return (0.6 * sound + 0.4 * wet)[0, 0].numpy()


@pytest.fixture(scope="module")
def root(tmp_path_factory):
    folder = tmp_path_factory.mktemp("flanger")
    # Excerpts of takes: the oscillator stands elsewhere at the start of each.
    for split, seconds, seed in (("train", 20, 11), ("val", 6, 2), ("test", 6, 48)):
        dry = notes(seed, seconds)
        for side, sound in (("input", dry), ("target", flanged(dry, seed))):
            path = folder / split / side / f"take_{seed}s.wav"
            path.parent.mkdir(parents=True)
            soundfile.write(path, sound, RATE, subtype="FLOAT")
    return folder


def train(root, folder, node="flanger", steps=1):
    file = folder / "exp.toml"
    text = FILE.replace("ROOT", str(root)).replace("NODE", node).replace("STEPS", str(steps))
    file.write_text(text + (CLOCK if node == "flanger" else ""))
    return fxkit.run(file, out=folder / "runs")


def test_the_first_step_starts_from_what_the_recordings_show(root, tmp_path):
    result = train(root, tmp_path)
    tracks = fxkit.load(result.run).parameters_at()
    for name, value, within in (
        ("delay", 2.0, 0.3), ("depth", 3.0, 0.4), ("rate", 0.4, 0.002), ("phase", 0.2, 0.03)
    ):  # fmt: skip
        assert float(tracks[f"flanger.{name}"][0, 0]) == pytest.approx(value, abs=within), name


def test_a_few_steps_from_there_model_the_device(root, tmp_path):
    result = train(root, tmp_path, steps=150)
    assert result.test["error"] < 0.01


def test_a_model_that_cannot_estimate_is_refused(root, tmp_path):
    with pytest.raises(fxkit.RunError, match="no node of this model can estimate"):
        train(root, tmp_path, node="gain")
