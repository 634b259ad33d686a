"""Every shipped experiment trains on real files, and its model gives the same samples in any blocks."""

from __future__ import annotations

import json

import numpy as np
import pytest
import soundfile

import fxkit
from fxkit.experiment.reader import read_experiment
from fxkit.experiment.shipped import shipped_experiments

FEW_STEPS = {
    "train.steps": 2,
    "train.validate_every": 2,
    "train.batch_size": 2,
    "data.segment": 4096,
    "callbacks.listen.every": 2,
    "callbacks.parameters.every": 2,
}
TINY_DEVICE = {"data.train_seconds": 1.0, "data.val_seconds": 0.5, "data.test_seconds": 0.5}

pytestmark = pytest.mark.slow


def write(path, audio, rate):
    path.parent.mkdir(parents=True, exist_ok=True)
    soundfile.write(path, audio, rate, subtype="FLOAT")


def plucked(seed, rate, seconds=1.5):
    """A decaying tone with harmonics and a little noise, at another pitch for each seed."""
    time = np.arange(int(rate * seconds)) / rate
    pitch = 220 * 2 ** (seed / 12)
    tone = sum(np.sin(2 * np.pi * pitch * k * time) / k for k in range(1, 6))
    noise = np.random.default_rng(seed).standard_normal(len(time))
    return 0.2 * tone * np.exp(-time) + 0.002 * noise


@pytest.fixture(scope="module")
def pairs(tmp_path_factory):
    root = tmp_path_factory.mktemp("pairs")
    for seed, split in enumerate(("train", "val", "test")):
        dry = plucked(seed, 48000)
        write(root / split / "input" / f"take{seed}.wav", dry, 48000)
        write(root / split / "target" / f"take{seed}.wav", 0.5 * np.tanh(4 * dry), 48000)
    return root


@pytest.fixture(scope="module")
def pairs_with_knobs(tmp_path_factory):
    root, rows = tmp_path_factory.mktemp("knobs"), ["split,file,drive"]
    for seed, split in enumerate(("train", "val", "test")):
        for drive in (2, 8):
            dry, name = plucked(drive + seed, 48000), f"take-{split}-{drive}.wav"
            write(root / split / "input" / name, dry, 48000)
            write(root / split / "target" / name, 0.5 * np.tanh(drive * dry), 48000)
            rows.append(f"{split},{name},{drive}")
    (root / "knobs.csv").write_text("\n".join(rows))
    return root


@pytest.fixture(scope="module")
def recordings(tmp_path_factory):
    root = tmp_path_factory.mktemp("recordings")
    for seed, split in enumerate(("train", "val", "test")):
        write(root / split / f"note{seed}.wav", plucked(seed, 16000), 16000)
    return root


@pytest.fixture(scope="module")
def runs(tmp_path_factory, pairs, pairs_with_knobs, recordings):
    """Train each experiment once, on demand."""
    folder, done = tmp_path_factory.mktemp("runs"), {}

    def run(name):
        if name not in done:
            done[name] = fxkit.run(
                name, settings_for(name, pairs, pairs_with_knobs, recordings), out=folder / name
            )
        return done[name]

    return run


def settings_for(name, pairs, pairs_with_knobs, recordings):
    if name == "quickstart":
        return {**FEW_STEPS, **TINY_DEVICE}
    roots = {"harmonic-synth": recordings, "compressor-knob": pairs_with_knobs}
    return {**FEW_STEPS, "data.root": roots.get(name, pairs)}


def halfway(model):
    """Set every knob of the device to the middle of its range."""
    return {name: (low + high) / 2 for name, (low, high) in model.knobs.items()}


NAMES = sorted(shipped_experiments())


def test_the_five_promised_experiments_ship():
    assert {"quickstart", "amp-lstm", "amp-tcn", "overdrive-graybox", "harmonic-synth"} <= set(NAMES)


@pytest.mark.parametrize("network", ["lstm", "gru", "tcn", "gcn", "wavenet", "s4", "lru", "transformer"])
def test_each_network_has_an_experiment_of_its_name(network):
    assert f"amp-{network}" in NAMES
    experiment = read_experiment(f"amp-{network}")
    assert experiment.nodes["amp"].plugin.split("/")[-1] == network


@pytest.mark.parametrize("name", NAMES)
def test_a_run_holds_its_audio_pictures_and_figures(runs, name):
    result = runs(name)
    files = {path.relative_to(result.run).as_posix() for path in result.run.rglob("*") if path.is_file()}
    assert {"resolved.toml", "lock.toml", "metrics.jsonl", "results.json"} <= files
    for kind in ("target", "prediction", "residual"):
        assert any(path.startswith("audio/test/") and path.endswith(f".{kind}.wav") for path in files)
    assert any(path.startswith("plots/") and path.endswith(".png") for path in files)
    assert any(path.startswith("tensorboard/") for path in files)
    assert json.loads((result.run / "results.json").read_text())["test"] == dict(result.test)


@pytest.mark.parametrize("name", NAMES)
def test_blocks_of_any_size_give_the_offline_samples(runs, name):
    model = fxkit.load(runs(name).run)
    audio = plucked(5, model.sample_rate, seconds=0.03).astype(np.float32)
    knobs = halfway(model)
    whole = model(audio, knobs=knobs)
    assert np.abs(whole).max() > 1e-3
    for block in (1, 7, 64, 4096):
        assert np.abs(model.process_in_blocks(audio, block, knobs=knobs) - whole).max() <= 1e-5, block


@pytest.mark.parametrize("name", [name for name in NAMES if name != "harmonic-synth"])
def test_a_stream_is_the_whole_but_for_its_latency(runs, name):
    model = fxkit.load(runs(name).run)
    audio = plucked(3, model.sample_rate, seconds=0.05).astype(np.float32)
    knobs = halfway(model)
    streamed = np.concatenate(list(model.stream(np.array_split(audio, 9), knobs=knobs)))
    whole = model(audio, knobs=knobs)
    late = model.latency
    assert np.abs(streamed[late:] - whole[: len(whole) - late]).max() <= 1e-5


def test_a_model_that_plays_from_features_refuses_to_stream_and_says_why(runs):
    model = fxkit.load(runs("harmonic-synth").run)
    with pytest.raises(fxkit.RunError, match="features of a whole recording"):
        next(model.stream([np.zeros(64, dtype=np.float32)]))


def test_parameters_are_told_in_physical_units(runs):
    model = fxkit.load(runs("overdrive-graybox").run)
    tracks = model.parameters_at()
    assert tracks["post.frequency"].shape == (5, 1)
    assert (tracks["post.frequency"] >= 20).all()
    assert (tracks["post.frequency"] <= 20000).all()
    assert abs(tracks["drive.gain_db"]).max() < 60
