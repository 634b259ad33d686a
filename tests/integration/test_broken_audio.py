"""`fxkit run` on audio that cannot be trained on: every defect is named, and nothing is written."""

from __future__ import annotations

import shutil

import numpy as np
import pytest
import soundfile

RATE = 16_000
EXPERIMENT = """
fxkit = 1

[run]
name = "broken"
sample_rate = 16000

[data]
type = "paired-audio"
root = "recordings"
segment = 1024

[nodes.drive]
type = "gain"
controller = { type = "static" }

[model]
chain = ["drive"]

[losses.error]
type = "esr"

[train]
steps = 1
batch_size = 2
optimizer = { type = "adam", lr = 0.01 }
"""


def noise(seed, seconds=0.5):
    return 0.1 * np.random.default_rng(seed).standard_normal(round(seconds * RATE))


@pytest.fixture
def recordings(fxkit):
    """A good pair per split, and the experiment beside them."""
    fxkit.write("broken.toml", EXPERIMENT)
    root = fxkit.folder / "recordings"
    for seed, split in enumerate(("train", "val", "test")):
        write_pair(root / split, "good", noise(seed))
    return root


def write_pair(folder, name, dry, wet=None, rate=RATE, **options):
    for side, audio in (("input", dry), ("target", np.tanh(dry) if wet is None else wet)):
        (folder / side).mkdir(parents=True, exist_ok=True)
        soundfile.write(folder / side / f"{name}.wav", audio, rate, **options)


def break_many(root):
    """Break the train split in many ways; return what has to be said of each file."""
    train = root / "train"
    for seed, name in enumerate("abcdefghijklmno", start=10):
        write_pair(train, name, noise(seed))
    target = train / "target"
    (target / "a.wav").write_bytes(b"")
    (target / "b.wav").write_bytes((target / "b.wav").read_bytes()[:-600])
    (target / "c.wav").write_text("not audio at all\n" * 20)
    write_pair(train, "d", noise(13), np.full(8000, np.nan), subtype="FLOAT")
    write_pair(train, "e", noise(14), np.zeros(0))
    write_pair(train, "f", noise(15), np.full(1, 0.5))
    write_pair(train, "g", noise(16), np.zeros(8000))
    soundfile.write(target / "h.wav", np.tanh(noise(17)), 22_050)
    write_pair(train, "i", noise(18), np.stack([noise(18)] * 2, 1))
    write_pair(train, "j", noise(19), np.tanh(noise(19))[:-500])
    write_pair(train, "k", noise(20), np.roll(np.tanh(noise(20)), 37))
    (target / "l.wav").unlink()
    write_pair(train, "m", noise(22), np.clip(40 * noise(22), -1, 1))
    shutil.move(target / "n.wav", target / "n.m4a")
    return {
        "a.wav": "is empty (0 bytes); copy or export it again",
        "b.wav": "is truncated: the last 600 bytes are missing; copy or export it again",
        "c.wav": "is not readable as audio (format not recognised); export it again as WAV",
        "d.wav": "holds NaN or infinity: samples at fault 8000, the first at 0.000 s; export it again",
        "e.wav": "holds no samples; export it again, or remove it",
        "f.wav": "is too short: 1 sample (0.062 ms); use recordings of at least 0.05 s",
        "g.wav": "is silent: every sample is zero; check the cable",
        "h.wav": "is at 22050 Hz, its dry side h.wav at 16000 Hz; export both at one rate",
        "i.wav": "has 2 channels where the others have 1; export all alike",
        "j.wav": "is 500 samples (0.031 s) shorter than its dry side j.wav; export both from the same start",
        "k.wav": "is 37.00 samples late against its dry side; set data.align = true",
        "l.wav": "has no target partner named 'l'; add that file or remove this one",
        "m.wav": "is clipped: ",
        "n.m4a": ".m4a is not read; convert it to WAV",
    }


def test_all_defects_of_a_folder_are_told_in_one_run(fxkit, recordings):
    said = break_many(recordings)
    done = fxkit("run", "broken.toml")
    assert done.returncode == 3
    assert done.stdout == ""
    for file, problem in said.items():
        side = "input" if "partner" in problem else "target"
        (line,) = [line for line in done.stderr.splitlines() if f"train/{side}/{file}: {problem}" in line]
        assert ";" in line
    assert "Traceback" not in done.stderr
    assert not (fxkit.folder / "runs").exists()


@pytest.mark.parametrize(
    ("content", "code", "problem"),
    [
        (None, 2, "recordings; correct the path"),
        ("folder", 3, "recordings: holds no audio; put WAV, FLAC, AIFF, OGG or MP3 files there"),
    ],
)
def test_a_folder_that_holds_nothing_is_told(fxkit, content, code, problem):
    fxkit.write("broken.toml", EXPERIMENT)
    if content:
        (fxkit.folder / "recordings").mkdir()
    done = fxkit("run", "broken.toml")
    assert done.returncode == code
    assert problem in done.stderr
    assert "Traceback" not in done.stderr


def test_the_same_take_in_two_splits_is_refused(fxkit, recordings):
    write_pair(recordings / "test", "again", noise(0))
    done = fxkit("run", "broken.toml")
    assert done.returncode == 3
    assert "test/input/again.wav: has the same audio as" in done.stderr


def test_what_can_be_mended_or_kept_is_trained_on_with_a_word(fxkit, recordings):
    write_pair(recordings / "train", "late", noise(7), np.roll(-np.tanh(noise(7)), 37))
    done = fxkit("run", "broken.toml", "--set", "data.align=true", "--dry-run")
    assert done.returncode == 0, done.stderr
    assert (
        "train/target/late.wav: is 37.00 samples late against its dry side; moved into place" in done.stderr
    )
    assert "train/target/late.wav: is inverted against its dry side" in done.stderr
