"""`fxkit inspect` and `fxkit bench` from the command line, on experiments and on a run."""

from __future__ import annotations

import json
import subprocess
import sys

import pytest


@pytest.fixture(scope="module")
def run_folder(tmp_path_factory):
    folder = tmp_path_factory.mktemp("run")
    settings = ["train.steps=4", "train.validate_every=4", "data.train_seconds=2.0", "data.segment=2048"]
    options = [item for setting in settings for item in ("--set", setting)]
    done = _fxkit("run", "quickstart", *options, "--out", str(folder / "short"))
    assert done.returncode == 0, done.stderr
    return folder / "short"


def _fxkit(*arguments):
    return subprocess.run(
        [sys.executable, "-m", "fxkit", *arguments], capture_output=True, text=True, timeout=300
    )


def test_an_experiment_is_inspected_without_data(tmp_path):
    done = _fxkit("inspect", "overdrive-graybox", "--picture", str(tmp_path / "graph.svg"))
    assert done.returncode == 0, done.stderr
    assert "as it starts" in done.stdout
    assert "sum of" in done.stdout
    assert (tmp_path / "graph.svg").stat().st_size > 1000
    assert "drawn" in done.stderr


def test_a_run_is_inspected_as_trained(run_folder):
    done = _fxkit("inspect", str(run_folder), "--json")
    assert done.returncode == 0, done.stderr
    card = json.loads(done.stdout)
    assert card["stands"] == "as trained"
    assert card["chain"]


def test_an_override_shows_in_the_graph():
    done = _fxkit("inspect", "overdrive-graybox", "--set", "run.sample_rate=44100")
    assert "44100 Hz" in done.stdout


def test_a_picture_of_an_unknown_kind_is_refused_before_anything_is_built(tmp_path):
    done = _fxkit("inspect", "overdrive-graybox", "--picture", str(tmp_path / "graph.gif"))
    assert done.returncode == 4
    assert done.stdout == ""
    assert done.stderr.count("\n") == 1
    assert ".svg" in done.stderr


def test_the_response_of_a_run_is_measured_into_a_folder(run_folder, tmp_path):
    folder = tmp_path / "measured"
    done = _fxkit("inspect", str(run_folder), "--response", str(folder), "--json")
    assert done.returncode == 0, done.stderr
    measured = json.loads(done.stdout)["response"]
    assert [row["hz"] for row in measured["octaves"]][-1] == 16000.0
    assert measured["figures"]["high_3db_hz"] > measured["figures"]["low_3db_hz"]
    assert {path.name for path in folder.glob("*.png")} == {
        "frequency-response.png", "frequency-response-nodes.png", "static-curve.png",
    }  # fmt: skip
    again = _fxkit("inspect", str(run_folder), "--response", str(folder))
    assert again.returncode == 4
    assert "exists; choose another folder, or add --force" in again.stderr


def test_the_table_of_a_response_is_for_people(tmp_path):
    done = _fxkit("inspect", "compressor-knob", "--response", str(tmp_path / "m"), "--knob", "knob=0.25")
    assert done.returncode == 0, done.stderr
    assert "group_delay_ms" in done.stdout
    assert "gain_1khz_db" in done.stdout
    unknown = _fxkit("inspect", "compressor-knob", "--response", str(tmp_path / "n"), "--knob", "tone=1")
    assert unknown.returncode == 4
    assert "knob tone = 1 does not fit; the model has: knob (0 to 1)" in unknown.stderr


def test_a_run_is_timed_block_by_block(run_folder):
    done = _fxkit("bench", str(run_folder), "--block", "64", "--block", "256", "--seconds", "0.3", "--json")
    assert done.returncode == 0, done.stderr
    content = json.loads(done.stdout)
    assert [one["block"] for one in content["blocks"]] == [64, 256]
    assert content["threads"] == 1
    assert all(one["real_time"] > 0 for one in content["blocks"])


def test_the_table_of_times_is_for_people(run_folder):
    done = _fxkit("bench", str(run_folder), "--block", "512", "--seconds", "0.2")
    assert done.returncode == 0, done.stderr
    assert "real time" in done.stdout
    assert "of a block of 512" in done.stdout


def test_a_subject_that_is_not_there_is_one_line():
    done = _fxkit("bench", "overdrive-graybxo")
    assert done.returncode == 2
    assert 'did you mean "overdrive-graybox"' in done.stderr
