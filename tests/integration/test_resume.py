"""A run that ends at any point and is resumed has the bits of one that was never interrupted."""

from __future__ import annotations

import json
import signal
import textwrap
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


@attrs.frozen(kw_only=True)
class Adversary:
    "Tell the output from the target by a small network, which learns that in turns of its own."

    def build(self, ctx):
        import torch

        class Judged(torch.nn.Module):
            def __init__(self):
                super().__init__()
                self.network = torch.nn.Conv1d(1, 2, 9, stride=4)

            def forward(self, output, batch):
                return (1 - self.network(output.audio)).square().mean((1, 2))

            def judge(self, output, batch):
                real = (1 - self.network(batch.target)).square().mean((1, 2))
                return real + self.network(output.audio).square().mean((1, 2))

        return Judged()


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
"losses:adversary" = "killer.py:Adversary"

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


# What is laid over the small experiment, and where the runs are killed; a state is saved every 2 steps.
MODES = {
    "windows": ("""
        [train]
        window = 256
        """, ("step:3", "validate:5")),
    "windows, parts, no gradient through the warm-up": ("""
        [train]
        window = 512
        accumulate = 2
        warmup_gradient = false
        """, ("step:5",)),
    "bf16": ("""
        [train]
        precision = "bf16"
        clip_norm = 0.5
        [nodes.amp]
        recompute = true
        """, ("step:5",)),
    "parts": ("""
        [train]
        accumulate = 2
        clip_value = 0.01
        optimizer = { type = "muon", lr = 0.01 }
        schedule = { type = "plateau", patience = 1, warmup = 2 }
        """, ("step:7",)),
    "phases": ("""
        [losses.adversary]
        type = "adversary"
        weight = 0.1

        [[phase]]
        name = "first"
        steps = 5
        train = ["amp"]
        losses = { error = 1.0 }
        window = 512
        precision = "bf16"

        [[phase]]
        name = "duel"
        steps = 5
        segment = 512
        alternate = [
            { train = ["amp"], losses = { error = 1.0, adversary = 0.1 } },
            { train = ["losses.adversary"], losses = { adversary = 1.0 }, optimizer = { type = "sgd" } },
        ]

        [[phase]]
        name = "last"
        steps = 3
        train = ["drive"]
        losses = { error = 1.0 }
        """, ("step:4", "step:8", "validate:10")),
    "an average of the weights": ("""
        [callbacks.average]
        type = "ema"
        decay = 0.9
        start = 2
        """, ("validate:5",)),
}  # fmt: skip
CASES = [(mode, point) for mode, (_, points) in MODES.items() for point in points]


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
    assert_same(one["callbacks"], other["callbacks"], "callbacks")
    assert_same(one["losses"], other["losses"], "losses")
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


@pytest.fixture
def moded(fxkit, small):
    """Write the small experiment with a mode laid over it, and return its path."""

    def write(mode):
        fxkit.write("killer.py", KILLER)
        without_steps = small.replace("steps = 12\n", "" if mode == "phases" else "steps = 12\n")
        fxkit.write("base.toml", without_steps + EXTRA)
        return fxkit.write(
            "mode.toml", 'fxkit = 1\nextends = ["base.toml"]\n' + textwrap.dedent(MODES[mode][0])
        )

    return write


@pytest.mark.slow
@pytest.mark.parametrize(("mode", "point"), CASES)
def test_killed_in_any_mode_and_resumed_gives_the_same_bits(fxkit, moded, tmp_path_factory, mode, point):
    experiment = moded(mode)
    if mode not in _REFERENCE:
        out = tmp_path_factory.mktemp("reference") / "whole"
        done = fxkit("run", experiment, "--out", out, "--allow-local")
        assert done.returncode == 0, done.stderr
        _REFERENCE[mode] = out
    whole, folder = _REFERENCE[mode], fxkit.folder / "cut"
    cut = fxkit("run", experiment, "--out", "cut", "--allow-local", KILL_AT=point)
    assert cut.returncode == -signal.SIGKILL, cut.stderr
    resumed = fxkit("run", "--resume", "cut", "--allow-local")
    assert resumed.returncode == 0, resumed.stderr
    assert_same_state(weights(folder), weights(whole))
    best, theirs = (torch.load(run / "checkpoints" / "best.pt", weights_only=True) for run in (folder, whole))
    assert_same(best, theirs, "best")
    assert journal(folder) == journal(whole)
    mine, others = (json.loads((run / "results.json").read_text()) for run in (folder, whole))
    assert mine["test"] == others["test"]
