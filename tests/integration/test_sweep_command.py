"""`fxkit sweep` through the real command: trials, workers, failures, interrupts and the best one again."""

from __future__ import annotations

import json
import os
import signal
import time
from pathlib import Path

import pytest
import tomli

from fxkit.cli.main import main

pytestmark = pytest.mark.slow

TINY = """
fxkit = 1

[run]
name = "tiny"
sample_rate = 16000

[data]
type = "virtual-device"
segment = 512
train_seconds = 0.5
val_seconds = 0.25
test_seconds = 0.25

[nodes.amp]
type = "gain"
controller = { type = "static" }

[model]
chain = ["amp"]

[losses.error]
type = "esr"
floor = -30.0

[metrics.si-sdr]
type = "si-sdr"

[train]
steps = 8
batch_size = 2
validate_every = 2
optimizer = { type = "adam", lr = 0.01 }
"""
# Long enough to be stopped in the middle, with a state to go on from.
LONG = """
[callbacks.save]
type = "checkpoint"
every = 20
"""
LENGTH = ("--set", "train.steps=400", "--set", "train.validate_every=20")


@pytest.fixture
def tiny(fxkit, monkeypatch):
    """A folder with a tiny experiment, entered."""
    fxkit.write("tiny.toml", TINY)
    fxkit.write("long.toml", TINY + LONG)
    monkeypatch.chdir(fxkit.folder)
    return fxkit


def summary(name: str) -> dict:
    return json.loads(Path("runs", name, "summary.json").read_text())


def results(folder: Path) -> dict:
    return json.loads((folder / "results.json").read_text())


def records(folder: Path, kind: str) -> list:
    lines = (folder / "metrics.jsonl").read_text().splitlines()
    return [record for record in map(json.loads, lines) if record["kind"] == kind]


def wait_for(path: Path, seconds: float = 50) -> None:
    end = time.monotonic() + seconds
    while not path.exists():
        assert time.monotonic() < end, f"{path} never came"
        time.sleep(0.02)


def test_two_workers_share_eight_trials_and_the_best_is_the_same_bit_for_bit(tiny) -> None:
    grid = (
        "--grid",
        "train.optimizer.lr=1e-3,1e-2",
        "--grid",
        "train.batch_size=1,2",
        "--grid",
        "run.seed=1,2",
    )
    done = tiny("sweep", "tiny.toml", *grid, "--workers", 2, "--name", "grid", check=True)
    found = summary("grid")
    rows = found["rows"]
    assert [row["state"] for row in rows] == ["complete"] * 8
    assert sorted(row["trial"] for row in rows) == list(range(8))
    assert len({tuple(row["parameters"].values()) for row in rows}) == 8
    assert len({row["worker"] for row in rows}) == 2
    values = [row["value"] for row in rows]
    assert values == sorted(values)
    # The best trial is one of the seeds of the best mean.
    best = found["best"]
    assert best["trial"] in found["groups"][0]["trials"]
    assert f"best: trial {best['trial']}" in done.stdout
    folder = Path("runs/grid") / f"trial-{best['trial']:04d}"
    assert main(["run", "runs/grid/best.toml", "--out", "runs/again", "--quiet"]) == 0
    assert results(Path("runs/again"))["test"] == results(folder)["test"]
    assert records(Path("runs/again"), "val") == records(folder, "val")
    assert best["value"] in [record["loss"] for record in records(Path("runs/again"), "val")]


def test_trials_are_run_folders_with_their_values(tiny, capsys) -> None:
    assert (
        main(["sweep", "tiny.toml", "--grid", "train.optimizer.lr=1e-3,1e-2", "--name", "two", "--quiet"])
        == 0
    )
    for place, rate in enumerate((1e-3, 1e-2)):
        folder = Path("runs/two") / f"trial-{place:04d}"
        assert tomli.loads((folder / "resolved.toml").read_text())["train"]["optimizer"]["lr"] == rate
        record = json.loads((folder / "trial.json").read_text())
        assert (record["trial"], record["state"]) == (place, "complete")
        assert float(record["parameters"]["train.optimizer.lr"]) == rate
        assert record["value"] == records(folder, "val")[-1]["loss"]
        assert (folder / "report.html").is_file()
        assert "step 8  val" in (folder / "log.txt").read_text()
    assert main(["eval", "runs/two/trial-0001"]) == 0
    assert {path.name for path in Path("runs/two/plots").iterdir()} >= {"history.png", "parameters.png"}
    capsys.readouterr()
    assert main(["runs", "runs/two", "--json"]) == 0
    listed = json.loads(capsys.readouterr().out)["runs"]
    assert {run["parameters"]["train.optimizer.lr"] for run in listed} == {"1e-3", "1e-2"}


def test_the_same_command_joins_and_another_one_is_refused(tiny, capsys) -> None:
    command = ["sweep", "tiny.toml", "--name", "one", "--grid", "train.optimizer.lr=1e-3,1e-2"]
    assert main([*command, "--quiet"]) == 0
    before = {path: path.stat().st_mtime for path in Path("runs/one").glob("trial-*/results.json")}
    assert main(command) == 0
    assert "joining runs/one" in capsys.readouterr().err
    assert {path: path.stat().st_mtime for path in before} == before
    assert main([*command[:-1], "train.optimizer.lr=1e-3,5e-2"]) == 4
    assert "another sweep of that name (axes was" in capsys.readouterr().err
    Path("tiny.toml").write_text(TINY.replace("steps = 8", "steps = 6"))
    assert main(command) == 4
    assert "tiny.toml has changed since this sweep began" in capsys.readouterr().err
    assert main(["sweep", "--resume", "runs/one"]) == 4
    assert "tiny.toml has changed since this sweep began" in capsys.readouterr().err


def test_all_wrong_values_are_told_at_once_and_nothing_runs(tiny, capsys) -> None:
    grid = [
        "--grid",
        "train.optimizer.lr=1e-3,fast,-1",
        "--grid",
        "train.stepz=4",
        "--param",
        "train.batch_size=0..4",
    ]
    assert main(["sweep", "tiny.toml", *grid, "--trials", "3"]) == 2
    told = capsys.readouterr().err
    assert "sweep of train.optimizer.lr  train.optimizer.lr: expected float, got fast" in told
    assert "sweep of train.optimizer.lr  train.optimizer.lr: -1" in told
    assert 'sweep of train.stepz  train.stepz: unknown option of [train]; did you mean "steps"?' in told
    assert "sweep of train.batch_size  train.batch_size: 0" in told
    assert not Path("runs").exists()


def test_a_metric_that_nothing_measures_is_refused(tiny, capsys) -> None:
    command = ["sweep", "tiny.toml", "--grid", "train.batch_size=1,2", "--metric"]
    assert main([*command, "si-sd"]) == 2
    assert 'measures loss, si-sdr, error; did you mean "si-sdr"?' in capsys.readouterr().err
    assert main(["sweep", "tiny.toml", "--grid", "losses.error.weight=1,2"]) == 2
    assert "--metric loss: the variants do not all measure it alike" in capsys.readouterr().err


@pytest.fixture
def half(tiny):
    """What varies the experiment in two ways, of which the first cannot start."""
    tiny.write("bad.toml", 'fxkit = 1\n[run]\ninit = "nowhere"\n')
    tiny.write("good.toml", "fxkit = 1\n")
    return ["sweep", "tiny.toml", "--grid", "extends=bad.toml,good.toml", "--name", "half"]


def test_a_failed_trial_says_why_and_the_others_go_on(half, capsys) -> None:
    assert main(half) == 0
    shown = capsys.readouterr()
    assert "trial 0  failed: " in shown.err
    assert [row["state"] for row in summary("half")["rows"]] == ["complete", "failed"]
    assert "nowhere" in summary("half")["rows"][1]["error"]
    assert "1 complete, 1 failed" in shown.out
    assert main(["runs", "runs/half", "--filter", "state=failed"]) == 0
    assert "nowhere" in capsys.readouterr().out


def test_too_many_failures_end_the_sweep(half, capsys) -> None:
    assert main([*half, "--max-failures", "1"]) == 4
    assert "1 trial has failed" in capsys.readouterr().err
    assert [row["state"] for row in summary("half")["rows"]] == ["waiting", "failed"]


def test_poor_trials_are_pruned_and_ranges_are_drawn_from(tiny) -> None:
    command = [
        "sweep",
        "tiny.toml",
        "--param",
        "train.optimizer.lr=1e-4..1e-1:log",
        "--trials",
        "7",
        "--name",
        "tpe",
    ]
    assert main([*command, "--pruner", "median", "--quiet"]) == 0
    rows = summary("tpe")["rows"]
    rates = [float(row["parameters"]["train.optimizer.lr"]) for row in rows]
    assert len(set(rates)) == 7
    assert all(1e-4 <= rate <= 1e-1 for rate in rates)
    pruned = [row for row in rows if row["state"] == "pruned"]
    assert pruned
    for row in pruned:
        folder = Path("runs/tpe") / f"trial-{row['trial']:04d}"
        assert results(folder)["stopped"] == f"pruned at step {results(folder)['steps']}"
        assert row["steps"] < 8
    assert summary("tpe")["best"]["state"] == "complete"


@pytest.mark.parametrize("path", ["extends", "extends.effect"])
def test_parents_can_be_varied_and_mean_what_set_makes_of_them(tiny, path: str) -> None:
    amp = '[nodes.amp]\ntype = "gain"\ncontroller = { type = "static" }\n'
    tiny.write("loud.toml", f"fxkit = 1\n[train]\nsteps = 99\n{amp}")
    tiny.write("bent.toml", f"fxkit = 1\n{amp.replace('gain', 'tanh')}")
    named = '[extends]\neffect = "absent.toml"\n'
    tiny.write("open.toml", TINY.replace(amp, "").replace("fxkit = 1", f"fxkit = 1\n{named}"))
    command = ["open.toml", "--quiet", "--set", "train.steps=2"]
    assert main(["sweep", *command, "--grid", f"{path}=loud.toml,bent.toml", "--name", "bases"]) == 0
    resolved = [tomli.loads(file.read_text()) for file in sorted(Path("runs/bases").glob("*/resolved.toml"))]
    assert [one["nodes"]["amp"]["type"] for one in resolved] == ["gain", "tanh"]
    for one, parent in zip(resolved, ("loud", "bent"), strict=True):
        assert main(["run", *command, "--set", f"{path}={parent}.toml", "--out", f"runs/{parent}"]) == 0
        assert tomli.loads(Path(f"runs/{parent}/resolved.toml").read_text()) == one


def test_a_killed_workers_trial_is_tried_again(tiny) -> None:
    grid = ("--grid", "train.optimizer.lr=1e-3,1e-2", "--heartbeat", 2, *LENGTH)
    running = tiny.start("sweep", "long.toml", *grid, "--workers", 2, "--name", "killed")
    folder = Path("runs/killed/trial-0000")
    wait_for(folder / "checkpoints" / "last.pt")
    os.kill(json.loads((folder / "running.json").read_text())["pid"], signal.SIGKILL)
    _, err = running.communicate(timeout=100)
    assert running.returncode == 0, err
    assert "trial 0  its worker died" in err
    assert "was killed (signal 9)" in err
    rows = {row["trial"]: row for row in summary("killed")["rows"]}
    assert [rows[0]["state"], rows[1]["state"]] == ["complete", "complete"]
    assert (rows[0]["retries"], rows[1]["retries"]) == (1, 0)
    assert rows[0]["worker"] == rows[1]["worker"]
    # It went on from where it was saved, and came to the same.
    assert "resuming runs/killed/trial-0000 at step" in (folder / "log.txt").read_text()
    assert main(["run", str(folder / "resolved.toml"), "--out", "runs/again", "--quiet"]) == 0
    assert results(Path("runs/again"))["test"] == results(folder)["test"]


def test_an_interrupted_sweep_goes_on_where_it_was(tiny) -> None:
    command = ("sweep", "tiny.toml", "--grid", "train.optimizer.lr=1e-3,1e-2", "--name", "stopped", *LENGTH)
    running = tiny.start(*command)
    folder = Path("runs/stopped/trial-0000")
    wait_for(folder / "checkpoints" / "best.pt")
    running.send_signal(signal.SIGINT)
    _, err = running.communicate(timeout=60)
    assert running.returncode == 130, err
    assert "Go on with: fxkit sweep --resume runs/stopped" in err
    assert "Traceback" not in err
    assert json.loads((folder / "trial.json").read_text())["state"] == "waiting"
    done = tiny("sweep", "--resume", "runs/stopped", check=True)
    assert "2 complete" in done.stdout
    assert "resuming runs/stopped/trial-0000 at step" in (folder / "log.txt").read_text()
    assert [row["retries"] for row in summary("stopped")["rows"]] == [0, 0]
    assert main(["run", str(folder / "resolved.toml"), "--out", "runs/again", "--quiet"]) == 0
    assert results(Path("runs/again"))["test"] == results(folder)["test"]


def test_without_optuna_one_line_says_what_to_install(tiny, capsys, monkeypatch) -> None:
    monkeypatch.setitem(__import__("sys").modules, "optuna", None)
    assert main(["sweep", "tiny.toml", "--grid", "train.batch_size=1,2"]) == 4
    told = capsys.readouterr().err.strip()
    assert told.endswith('pip install "fxkit[sweep]"')
    assert "\n" not in told


@pytest.mark.parametrize(
    ("arguments", "message"),
    [
        ((), "nothing to vary"),
        (("--grid", "train.batch_size"), "expected PATH=VALUE,VALUE"),
        (("--param", "train.batch_size=1..4"), "add --trials 20"),
        (("--param", "train.batch_size=4..1", "--trials", "2"), "the low end comes first"),
        (("--param", "train.optimizer.lr=0..1:log", "--trials", "2"), "logarithms need a low end above 0"),
        (("--param", "train.batch_size=1..4", "--sampler", "grid"), "a grid needs values"),
        (
            ("--grid", "train.batch_size=1,2", "--param", "train.batch_size=1,2", "--trials", "2"),
            "varied twice",
        ),
        (("--grid", "train.batch_size=1,2", "--resume", "runs/x"), "name either EXPERIMENT or --resume"),
    ],
)
def test_options_that_make_no_sweep_are_refused(tiny, capsys, arguments, message) -> None:
    assert main(["sweep", "tiny.toml", *arguments]) == 2
    assert message in capsys.readouterr().err
    assert not Path("runs").exists()
