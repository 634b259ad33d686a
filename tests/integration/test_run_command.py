"""`fxkit run` from a file to a run folder."""

from __future__ import annotations

import json

import pytest
import tomli


@pytest.fixture
def experiment(fxkit, small):
    return fxkit.write("small.toml", small)


@pytest.mark.slow
def test_a_run_leaves_everything_it_promises(fxkit, experiment):
    done = fxkit("run", experiment, "--out", "out", "--json")
    assert done.returncode == 0, done.stderr
    result = json.loads(done.stdout.splitlines()[-1])
    assert result["run"] == "out"
    assert set(result["test"]) == {"error", "l1", "loss"}
    assert set(result["baselines"]) == {"silence", "input", "gain", "filter"}
    assert result["baselines"]["silence"]["error"] == pytest.approx(1.0, abs=0.02)
    folder = fxkit.folder / "out"
    assert {path.name for path in folder.iterdir()} == {
        "checkpoints",
        "lock.toml",
        "metrics.jsonl",
        "report.html",
        "resolved.toml",
        "results.json",
    }
    lock = tomli.loads((folder / "lock.toml").read_text())
    assert lock["packages"]["torch"].startswith("2.11")
    assert lock["plugins"]["nodes.amp"]["plugin"] == "fxkit/lstm"
    assert len(lock["data"]["train"]) == 1
    records = [json.loads(line) for line in (folder / "metrics.jsonl").read_text().splitlines()]
    assert [r["step"] for r in records if r["kind"] == "val"] == [5, 10, 12]
    assert [r["step"] for r in records if r["kind"] == "train"] == list(range(1, 13))


@pytest.mark.slow
def test_the_resolved_file_repeats_the_run_bit_for_bit(fxkit, experiment):
    assert fxkit("run", experiment, "--out", "one").returncode == 0
    again = fxkit("run", "one/resolved.toml", "--out", "two", "--json")
    first, second = (
        json.loads((fxkit.folder / name / "results.json").read_text()) for name in ("one", "two")
    )
    assert first["test"] == second["test"]
    locks = [tomli.loads((fxkit.folder / name / "lock.toml").read_text()) for name in ("one", "two")]
    assert locks[0]["config"] == locks[1]["config"]
    assert again.returncode == 0


@pytest.mark.slow
def test_settings_change_the_run(fxkit, experiment):
    done = fxkit("run", experiment, "--out", "out", "--set", "train.steps=2", "--set", "nodes.amp.hidden=3")
    assert done.returncode == 0, done.stderr
    resolved = tomli.loads((fxkit.folder / "out" / "resolved.toml").read_text())
    assert (resolved["train"]["steps"], resolved["nodes"]["amp"]["hidden"]) == (2, 3)


@pytest.mark.slow
def test_a_dry_run_makes_one_step_and_writes_nothing(fxkit, experiment):
    done = fxkit("run", experiment, "--dry-run")
    assert done.returncode == 0, done.stderr
    assert "one step made" in done.stdout
    assert {path.name for path in fxkit.folder.iterdir()} <= {"small.toml", "cache"}


@pytest.mark.slow
def test_a_run_that_diverges_names_step_and_term_and_keeps_the_good_state(fxkit, experiment):
    settings = ("--set", "train.optimizer.lr=1e30", "--set", "train.schedule.type='constant'")
    done = fxkit("run", experiment, "--out", "out", *settings)
    assert done.returncode == 5
    assert "is not finite" in done.stderr
    assert "step " in done.stderr
    assert "Traceback" not in done.stderr


def test_a_folder_that_holds_something_is_left_alone(fxkit, experiment):
    (fxkit.folder / "out").mkdir()
    fxkit.write("out/thesis.txt", "years of work")
    done = fxkit("run", experiment, "--out", "out")
    assert done.returncode == 4
    assert "out: exists already" in done.stderr
    assert [path.name for path in (fxkit.folder / "out").iterdir()] == ["thesis.txt"]


def test_resume_of_no_run_says_so(fxkit, experiment):
    (fxkit.folder / "empty").mkdir()
    done = fxkit("run", "--resume", "empty")
    assert done.returncode == 4
    assert "not a run folder" in done.stderr


@pytest.mark.parametrize(
    "arguments",
    [("run",), ("run", "small.toml", "--resume", "x"), ("run", "--resume", "x", "--set", "train.steps=3")],
)
def test_contradictory_arguments_are_refused_at_once(fxkit, experiment, arguments):
    done = fxkit(*arguments)
    assert done.returncode == 2
    assert "--resume" in done.stderr


def test_a_device_that_is_not_there_is_named(fxkit, experiment):
    done = fxkit("run", experiment, "--device", "cuda:7")
    assert done.returncode == 4
    assert 'device "cuda:7" cannot be used here' in done.stderr


def test_a_segment_longer_than_the_recordings_names_them(fxkit, experiment):
    done = fxkit("run", experiment, "--set", "data.segment=999999", "--out", "out")
    assert done.returncode == 2
    assert "strings-train-gain-0.5" in done.stderr
    assert "data.segment" in done.stderr


def test_a_segment_too_short_for_a_loss_names_the_losss_table(fxkit, experiment):
    spectral = '\n[losses.spectral]\ntype = "multi-resolution-stft"\n'
    experiment.write_text(experiment.read_text() + spectral)
    done = fxkit("run", experiment, "--out", "out", "--set", "data.segment=512")
    assert done.returncode == 2
    assert "[losses.spectral]: needs 2048 samples, data.segment is 512" in done.stderr
    assert "Traceback" not in done.stderr
