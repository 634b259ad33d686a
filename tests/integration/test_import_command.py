"""`fxkit import`, `fxkit export` and runs that start from imported weights."""

from __future__ import annotations

import json

import numpy as np
import pytest
import soundfile
import tomli

import fxkit as python
from fxkit_exchange.guitarml import GuitarML
from fxkit_exchange.nam_importer import NamImporter


@pytest.fixture
def files(tmp_path):
    """Small files of other programs."""
    folder = tmp_path / "given"
    return {path.stem: path for spec in (NamImporter, GuitarML) for path in spec.files(folder)}


@pytest.fixture
def dry(tmp_path):
    """A second of noise at 48 kHz."""
    audio = 0.2 * np.random.default_rng(1).standard_normal(24000)
    soundfile.write(tmp_path / "dry.wav", audio, 48000, subtype="FLOAT")
    return audio.astype(np.float32)


def test_imported_model_is_a_run_like_any_other(fxkit, files, dry):
    fxkit("import", files["old"], "--out", "runs/amp", "--set", "sample_rate=48000", check=True)
    folder = fxkit.folder / "runs/amp"
    resolved = tomli.loads((folder / "resolved.toml").read_text())
    lock = tomli.loads((folder / "lock.toml").read_text())
    assert resolved["run"]["sample_rate"] == 48000
    assert resolved["nodes"]["amp"]["type"] == "wavenet"
    assert lock["imported"]["importer"] == "fxkit/nam"
    assert lock["imported"]["metadata"] == {"name": "sample"}
    fxkit("render", "runs/amp", "dry.wav", "wet.wav", "--block", "64", check=True)
    assert "wavenet" in fxkit("inspect", "runs/amp", check=True).stdout
    assert "real time" in fxkit("bench", "runs/amp", "--seconds", "0.05", check=True).stdout
    wet, _ = soundfile.read(fxkit.folder / "wet.wav", dtype="float32")
    assert np.abs(wet - python.load(folder)(dry)).max() < 1e-5


def test_model_travels_there_and_back_unchanged(fxkit, files):
    fxkit("import", files["old"], "--out", "amp", "--set", "sample_rate=48000", check=True)
    done = fxkit("export", "amp", "--to", "nam", "--set", "name=back", check=True)
    assert done.stdout.split() == ["exports/amp/back.nam"]
    back = json.loads((fxkit.folder / "exports/amp/back.nam").read_text())
    given = json.loads(files["old"].read_text())
    assert np.float32(back["weights"]).tolist() == np.float32(given["weights"]).tolist()
    again = fxkit("export", "amp", "--to", "nam")
    assert again.returncode == 4
    assert "exports/amp: exists already" in again.stderr


def test_python_imports_and_exports_by_the_same_names(tmp_path, files, dry):
    model = python.import_model(files["old"], {"sample_rate": 48000}, out=tmp_path / "amp")
    (path,) = python.export(tmp_path / "amp", "nam", {"name": "x"}, out=tmp_path / "out")
    same = python.import_model(path, out=tmp_path / "again")
    assert np.array_equal(model(dry[:4000]), same(dry[:4000]))
    assert (
        np.abs(np.concatenate(list(model.stream(np.split(dry[:4000], 40)))) - model(dry[:4000])).max() < 1e-6
    )


def test_knobs_of_an_imported_model_can_be_set(tmp_path, files, dry):
    model = python.import_model(files["GRU"], out=tmp_path / "amp")
    low, high = (model(dry[:2000], knobs={"knob": value}) for value in (0.0, 1.0))
    assert np.abs(low - high).max() > 1e-3


def test_training_goes_on_from_imported_weights(fxkit, files, small):
    fxkit("import", files["lstm"], "--out", "amp", check=True)
    hidden = json.loads(files["lstm"].read_text())["config"]["hidden_size"]
    text = small.replace("hidden = 4", f'hidden = {hidden}\nskip = false\ninitial = "learned"\nlr = 0.0')
    fxkit.write("small.toml", text)
    done = fxkit("run", "small.toml", "--init", "amp", "--out", "fine", check=True)
    assert "nodes.amp: taken over" in done.stderr
    before, after = python.load(fxkit.folder / "amp"), python.load(fxkit.folder / "fine")
    # Its rate was 0: what was taken over is still there.
    for name, weight in before.model.node("amp").state_dict().items():
        assert np.array_equal(weight.numpy(), after.model.node("amp").state_dict()[name].numpy())
    other = fxkit("run", "small.toml", "--init", "amp", "--set", f"nodes.amp.hidden={hidden + 1}")
    assert other.returncode == 4
    assert "nothing of it fits this model (nodes.amp: left (" in other.stderr


@pytest.mark.parametrize(
    ("name", "content", "code", "message"),
    [
        ("amp.nam", '{"version": "0.5.4", "arch', 3, "amp.nam: is no complete JSON"),
        ("song.mp3", "xx", 3, "song.mp3: of no format that an importer reads (fxkit/guitarml, fxkit/nam)"),
    ],
)
def test_what_cannot_be_read_is_one_line(fxkit, name, content, code, message):
    fxkit.write(name, content)
    done = fxkit("import", name)
    assert done.returncode == code
    assert done.stderr.startswith(message)
    assert done.stderr.count("\n") == 1
    assert not (fxkit.folder / "runs").exists()


def test_options_are_checked_like_those_of_a_file(fxkit, files):
    done = fxkit("import", files["old"], "--set", "sample_rat=48000")
    assert done.returncode == 2
    assert 'did you mean "sample_rate"?' in done.stderr
    unknown = fxkit("import", files["old"], "--as", "nan")
    assert unknown.returncode == 2
    assert "nam" in unknown.stderr


def test_imported_model_cannot_be_scored_without_recordings(fxkit, files):
    fxkit("import", files["container"], "--out", "amp", check=True)
    done = fxkit("eval", "amp")
    assert done.returncode == 4
    assert "amp: was imported, and there are no recordings" in done.stderr
