"""A run that ends at any point and is resumed has the bits of one that was never interrupted."""

from __future__ import annotations

import json
import signal
import time

import pytest
import torch

KILLER = """
import os
import signal

import attrs

import fxkit
from fxkit import opt


@attrs.frozen(kw_only=True)
class Killer:
    "End the process at a step and a point of it, as a power cut would."

    def build(self, ctx):
        return Kill()


def cut(point, step):
    if os.environ.get("KILL_AT") == f"{point}:{step}":
        os.kill(os.getpid(), getattr(signal, os.environ.get("KILL_BY", "SIGKILL")))


class Kill:
    @fxkit.hookimpl
    def fx_step_end(self, step):
        cut("step", step)

    @fxkit.hookimpl
    def fx_validate_end(self, step):
        cut("validate", step)

    @fxkit.hookimpl
    def fx_should_stop(self, step):
        cut("stop", step)
"""

EXTRA = """
[plugins.local]
"callbacks:killer" = "killer.py:Killer"

[callbacks.checkpoint]
type = "checkpoint"
every = 2

[callbacks.patience]
type = "early-stopping"
metric = "l1"
patience = 50

[callbacks.killer]
type = "killer"
"""


@pytest.fixture
def experiment(fxkit, small):
    fxkit.write("killer.py", KILLER)
    return fxkit.write("small.toml", small + EXTRA)


def weights(folder):
    state = torch.load(folder / "checkpoints" / "last.pt", weights_only=True)
    return state


def assert_same_state(one, other):
    assert one["step"] == other["step"]
    assert one["best"] == other["best"]
    assert one["callbacks"] == other["callbacks"]
    assert torch.equal(one["random"]["cpu"], other["random"]["cpu"])
    assert one["model"].keys() == other["model"].keys()
    for name, value in one["model"].items():
        assert torch.equal(value, other["model"][name]), name
    mine, theirs = ({**state["course"], "seconds": 0.0, "since": 0.0} for state in (one, other))
    assert_same(mine, theirs)


def assert_same(one, other, path="course"):
    """Nests of plain values and tensors hold the same bits."""
    assert type(one) is type(other), path
    if isinstance(one, torch.Tensor):
        assert torch.equal(one, other), path
    elif isinstance(one, dict):
        assert one.keys() == other.keys(), path
        for name, value in one.items():
            assert_same(value, other[name], f"{path}.{name}")
    elif isinstance(one, (list, tuple)):
        assert len(one) == len(other), path
        for index, (left, right) in enumerate(zip(one, other, strict=True)):
            assert_same(left, right, f"{path}[{index}]")
    else:
        assert one == other, path


def journal(folder):
    return [json.loads(line) for line in (folder / "metrics.jsonl").read_text().splitlines()]


@pytest.mark.slow
@pytest.mark.parametrize(
    "point", ["step:1", "step:4", "validate:5", "stop:6", "step:7", "validate:10", "step:12"]
)
def test_killed_at_any_point_and_resumed_gives_the_same_bits(fxkit, experiment, tmp_path_factory, point):
    whole = reference(fxkit, experiment, tmp_path_factory)
    cut = fxkit("run", experiment, "--out", "cut", "--allow-local", KILL_AT=point)
    assert cut.returncode == -signal.SIGKILL
    resumed = fxkit("run", "--resume", "cut", "--allow-local", "--json")
    assert resumed.returncode == 0, resumed.stderr
    folder = fxkit.folder / "cut"
    assert_same_state(weights(folder), weights(whole))
    assert journal(folder) == journal(whole)
    mine, theirs = (json.loads((run / "results.json").read_text()) for run in (folder, whole))
    assert mine["test"] == theirs["test"]


_REFERENCE = {}


def reference(fxkit, experiment, tmp_path_factory):
    """The uninterrupted run, made once for all points."""
    if "run" not in _REFERENCE:
        out = tmp_path_factory.mktemp("reference") / "whole"
        done = fxkit("run", experiment, "--out", out, "--allow-local")
        assert done.returncode == 0, done.stderr
        _REFERENCE["run"] = out
    return _REFERENCE["run"]


@pytest.mark.slow
def test_the_same_file_and_seed_give_the_same_bits(fxkit, experiment, tmp_path_factory):
    whole = reference(fxkit, experiment, tmp_path_factory)
    assert fxkit("run", experiment, "--out", "again", "--allow-local").returncode == 0
    assert_same_state(weights(fxkit.folder / "again"), weights(whole))


@pytest.mark.slow
@pytest.mark.parametrize("name", ["SIGINT", "SIGTERM"])
@pytest.mark.parametrize("point", ["step:3", "validate:5"])
def test_an_interrupt_saves_says_how_to_resume_and_loses_nothing(
    fxkit, experiment, tmp_path_factory, name, point
):
    whole = reference(fxkit, experiment, tmp_path_factory)
    cut = fxkit("run", experiment, "--out", "cut", "--allow-local", KILL_AT=point, KILL_BY=name)
    assert cut.returncode == 130
    assert "fxkit run --resume cut" in cut.stderr
    assert "Traceback" not in cut.stderr
    assert weights(fxkit.folder / "cut")["step"] == int(point.split(":")[1])
    assert fxkit("run", "--resume", "cut", "--allow-local").returncode == 0
    assert_same_state(weights(fxkit.folder / "cut"), weights(whole))


@pytest.mark.slow
def test_resuming_a_finished_run_scores_it_again_and_changes_no_weight(fxkit, experiment, tmp_path_factory):
    whole = reference(fxkit, experiment, tmp_path_factory)
    before = weights(whole)
    done = fxkit("run", "--resume", whole, "--allow-local", "--json")
    assert done.returncode == 0, done.stderr
    assert_same_state(weights(whole), before)


@pytest.mark.slow
def test_a_damaged_checkpoint_is_named(fxkit, experiment):
    fxkit("run", experiment, "--out", "cut", "--allow-local", KILL_AT="step:4")
    path = fxkit.folder / "cut" / "checkpoints" / "last.pt"
    path.write_bytes(path.read_bytes()[:100])
    done = fxkit("run", "--resume", "cut", "--allow-local")
    assert done.returncode == 4
    assert "last.pt: damaged checkpoint" in done.stderr
    assert "Traceback" not in done.stderr


@pytest.mark.slow
def test_a_real_kill_from_outside_can_be_resumed(fxkit, experiment, tmp_path_factory):
    whole = reference(fxkit, experiment, tmp_path_factory)
    process = fxkit.start("run", experiment, "--out", "cut", "--allow-local")
    journal_path = fxkit.folder / "cut" / "metrics.jsonl"
    deadline = time.monotonic() + 120
    while time.monotonic() < deadline and not (journal_path.exists() and journal_path.stat().st_size):
        time.sleep(0.02)
    process.kill()
    process.communicate()
    assert fxkit("run", "--resume", "cut", "--allow-local").returncode == 0
    assert_same_state(weights(fxkit.folder / "cut"), weights(whole))
