"""`fxkit render` and `fxkit eval` on a trained run."""

from __future__ import annotations

import json

import numpy as np
import pytest
import soundfile

pytestmark = pytest.mark.slow


@pytest.fixture(scope="module")
def trained(tmp_path_factory):
    import subprocess
    import sys

    folder = tmp_path_factory.mktemp("trained")
    from pathlib import Path

    conftest = (Path(__file__).parent / "conftest.py").read_text()
    text = conftest.split('SMALL = """')[1].split('"""')[0]
    (folder / "small.toml").write_text(text)
    subprocess.run(
        [sys.executable, "-m", "fxkit", "run", "small.toml", "--out", "run", "--quiet"],
        cwd=folder,
        check=True,
        capture_output=True,
    )
    return folder / "run"


def write_noise(path, rate=16000, samples=3000, channels=1):
    audio = 0.3 * np.random.default_rng(0).standard_normal((samples, channels))
    soundfile.write(path, audio, rate, subtype="FLOAT")
    return path


@pytest.mark.parametrize("block", [1, 7, 64, 4096])
def test_blocks_give_the_offline_samples(fxkit, trained, block):
    dry = write_noise(fxkit.folder / "dry.wav", samples=1500)
    assert fxkit("render", trained, dry, "whole.wav").returncode == 0
    assert fxkit("render", trained, dry, "blocks.wav", "--block", block).returncode == 0
    whole, blocks = (soundfile.read(fxkit.folder / name)[0] for name in ("whole.wav", "blocks.wav"))
    assert np.abs(whole).max() > 0.01
    assert np.abs(whole - blocks).max() <= 1e-5


def test_rate_length_and_channels_are_the_inputs(fxkit, trained):
    dry = write_noise(fxkit.folder / "dry.wav", rate=44100, samples=4410, channels=2)
    done = fxkit("render", trained, dry, "wet.flac")
    assert done.returncode == 0, done.stderr
    info = soundfile.info(fxkit.folder / "wet.flac")
    assert (info.samplerate, info.frames, info.channels) == (44100, 4410, 2)


@pytest.mark.parametrize(
    ("source", "target", "words"),
    [
        ("absent.wav", "wet.wav", "absent.wav: no such file"),
        ("text.wav", "wet.wav", "text.wav: not readable as audio"),
        ("dry.wav", "dry.wav", "is the input itself"),
        ("dry.wav", "kept.wav", "exists already"),
        ("dry.wav", "wet.xyz", "unknown format"),
        ("dry.wav", "nowhere/wet.wav", "does not exist"),
        ("nan.wav", "wet.wav", "NaN"),
        ("empty.wav", "wet.wav", "no samples"),
    ],
)
def test_what_cannot_be_rendered_is_one_line_and_leaves_no_file(fxkit, trained, source, target, words):
    write_noise(fxkit.folder / "dry.wav")
    (fxkit.folder / "text.wav").write_text("not audio")
    (fxkit.folder / "kept.wav").write_text("precious")
    soundfile.write(fxkit.folder / "nan.wav", np.full(100, np.nan), 16000, subtype="FLOAT")
    soundfile.write(fxkit.folder / "empty.wav", np.zeros(0), 16000)
    before = {path.name: path.read_bytes() for path in fxkit.folder.iterdir() if path.is_file()}
    done = fxkit("render", trained, source, target)
    assert done.returncode != 0
    assert words in done.stderr
    assert len(done.stderr.strip().splitlines()) == 1
    assert {path.name: path.read_bytes() for path in fxkit.folder.iterdir() if path.is_file()} == before


def test_unknown_knobs_are_refused(fxkit, trained):
    dry = write_noise(fxkit.folder / "dry.wav")
    done = fxkit("render", trained, dry, "wet.wav", "--knob", "drive=1")
    assert done.returncode == 4
    assert "knobs: none" in done.stderr


def test_eval_repeats_the_runs_figures(fxkit, trained):
    done = fxkit("eval", trained, "--json")
    assert done.returncode == 0, done.stderr
    scores = json.loads(done.stdout)
    result = json.loads((trained / "results.json").read_text())
    assert scores["metrics"] == pytest.approx(result["test"])
    assert scores["baselines"]["gain"] == pytest.approx(result["baselines"]["gain"])


def test_eval_shows_the_model_beside_its_baselines(fxkit, trained):
    done = fxkit("eval", trained, "--split", "val")
    assert done.returncode == 0, done.stderr
    assert "best single gain" in done.stdout
    assert "model" in done.stdout
