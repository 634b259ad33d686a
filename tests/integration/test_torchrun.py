"""Workers that torchrun starts train one model together, speak with one voice, and end for one reason."""

from __future__ import annotations

import json
import os
import re
import signal
import socket
import subprocess
import sys
import time

import pytest
import torch

pytestmark = pytest.mark.slow

LOCAL = """
import os
import signal

import attrs

import fxkit
from fxkit import opt


@attrs.frozen(kw_only=True)
class Gain:
    "A gain that cannot go on at one step of one worker."

    def parameters(self, ctx):
        return ()

    def traits(self, ctx):
        return fxkit.Traits(receptive_field=1)

    def build(self, ctx):
        return _Gain()


import torch


class _Gain(torch.nn.Module):
    def __init__(self):
        super().__init__()
        self.factor = torch.nn.Parameter(torch.tensor(0.7))
        self.idle = torch.nn.Parameter(torch.tensor(0.5))
        self.calls = 0

    def forward(self, audio, params, state=None):
        if self.training and torch.is_grad_enabled():
            self.calls += 1
            self.fail()
        return audio * self.factor, state

    def fail(self):
        rank, restarts = (os.environ.get(name, "0") for name in ("RANK", "TORCHELASTIC_RESTART_COUNT"))
        place = f"{rank}:{self.calls}:{restarts}"
        if os.environ.get("KILL_AT") == place:
            os.kill(os.getpid(), getattr(signal, os.environ.get("KILL_BY", "SIGKILL")))
        if os.environ.get("RAISE_AT") == place:
            raise fxkit.errors.RunError("the tape is torn; use another")
"""

# Its idle weight takes no part in any loss; its dry side has no gradient.
EXPERIMENT = """
fxkit = 1

[run]
name = "small"
seed = 3
sample_rate = 16000

[data]
type = "virtual-device"
segment = 1024
warmup = 64
train_seconds = 2.0
val_seconds = 0.5
test_seconds = 0.5

[plugins.local]
"processors:torn" = "local.py:Gain"

[nodes.torn]
type = "torn"

[nodes.amp]
type = "lstm"
hidden = 4

[nodes.fixed]
type = "static-mlp-nonlinearity"
freeze = true

[model]
chain = ["torn", "amp", "fixed"]

[losses.error]
type = "esr"
floor = -30.0

[train]
steps = 8
batch_size = 2
validate_every = 4
log_every = 1
keep = "last"
optimizer = { type = "adam", lr = 0.01 }

[callbacks.checkpoint]
type = "checkpoint"
every = 2
"""


@pytest.fixture
def torchrun(fxkit):
    """Start workers in the test's folder, each on its own port."""
    fxkit.write("local.py", LOCAL)
    fxkit.write("small.toml", EXPERIMENT)

    def start(*arguments, workers=2, restarts=0, wait=True, **environment):
        with socket.socket() as free:
            free.bind(("localhost", 0))
            port = free.getsockname()[1]
        command = [sys.executable, "-m", "torch.distributed.run", "--nproc-per-node", workers]
        command += ["--master-addr", "localhost", "--master-port", port, "--max-restarts", restarts]
        command += ["-m", "fxkit", *arguments]
        process = subprocess.Popen(
            list(map(str, command)),
            cwd=fxkit.folder,
            env={**fxkit.environment, "OMP_NUM_THREADS": "1", **environment},
            stdout=subprocess.PIPE,
            stderr=subprocess.PIPE,
            text=True,
        )
        if not wait:
            return process
        try:
            out, err = process.communicate(timeout=100)
        finally:
            # torchrun ends its workers with itself.
            process.terminate()
        return subprocess.CompletedProcess(command, process.returncode, out, err)

    return start


@pytest.fixture
def whole(fxkit, torchrun, tmp_path_factory):
    """An uninterrupted run of two workers, made once for all tests."""
    if "whole" not in _WHOLE:
        out = tmp_path_factory.mktemp("whole") / "run"
        _WHOLE["done"] = run(torchrun, "small.toml", "--out", out, "--json")
        assert _WHOLE["done"].returncode == 0, _WHOLE["done"].stderr
        _WHOLE["whole"] = out
    return _WHOLE["whole"]


_WHOLE = {}


def run(start, *arguments, **options):
    return start("run", *arguments, "--allow-local", **options)


def weights(folder, name="last"):
    return torch.load(folder / "checkpoints" / f"{name}.pt", weights_only=True)["model"]


def apart(one, other):
    assert one.keys() == other.keys()
    return max(float((one[name] - other[name]).abs().max()) for name in one)


def journal(folder, kind):
    lines = (folder / "metrics.jsonl").read_text().splitlines()
    return [record for line in lines if (record := json.loads(line))["kind"] == kind]


def test_two_workers_reach_the_weights_of_one_with_the_doubled_batch(fxkit, whole):
    alone = fxkit("run", "small.toml", "--out", "alone", "--allow-local", "--set", "train.batch_size=4")
    assert alone.returncode == 0, alone.stderr
    assert apart(weights(fxkit.folder / "alone"), weights(whole)) < 1e-5
    one, two = (journal(folder, "train") for folder in (fxkit.folder / "alone", whole))
    assert [record["step"] for record in one] == [record["step"] for record in two] == list(range(1, 9))
    for mine, theirs in zip(one, two, strict=True):
        assert mine["total"] == pytest.approx(theirs["total"], abs=1e-5)
    # Every line is said once.
    done = _WHOLE["done"]
    assert done.stdout.count("run folder:") == 1
    assert json.loads(done.stdout.splitlines()[-1])["steps"] == 8
    assert len(re.findall(r"step 4  val", done.stderr)) == 1
    assert "Warning" not in done.stderr


def test_windows_parts_and_turns_are_shared_too(fxkit, torchrun):
    stages = """
[[phase]]
steps = 4
window = 256

[[phase]]
steps = 4
train = ["torn", "fixed"]
"""
    text = EXPERIMENT.replace("freeze = true", "").replace("steps = 8\n", "") + stages
    # Adam makes whole steps of gradients that are rounding alone.
    fxkit.write("stages.toml", text.replace('"adam", lr = 0.01', '"sgd", lr = 0.001'))
    parts = ("--set", "train.accumulate=2")
    alone = fxkit(
        "run", "stages.toml", "--out", "alone", "--allow-local", "--set", "train.batch_size=4", *parts
    )
    assert alone.returncode == 0, alone.stderr
    done = run(torchrun, "stages.toml", "--out", "two", *parts)
    assert done.returncode == 0, done.stderr
    assert apart(weights(fxkit.folder / "alone"), weights(fxkit.folder / "two")) < 1e-5


def test_a_killed_worker_is_started_again_and_the_run_ends_with_the_same_weights(fxkit, torchrun, whole):
    cut = run(torchrun, "small.toml", "--out", "cut", restarts=1, KILL_AT="1:6:0")
    assert cut.returncode == 0, cut.stderr
    assert "resuming" in cut.stderr
    assert "at step 4" in cut.stderr
    assert apart(weights(whole), weights(fxkit.folder / "cut")) == 0
    assert [r["step"] for r in journal(fxkit.folder / "cut", "train")] == list(range(1, 9))


def test_a_worker_that_raises_ends_the_run_with_its_reason_said_once(torchrun):
    done = run(torchrun, "small.toml", "--out", "torn", RAISE_AT="1:3:0")
    assert done.returncode != 0
    lines = done.stderr.splitlines()
    assert lines.count("the tape is torn; use another") == 1
    assert "run folder:" not in done.stdout
    # torchrun shows a traceback of its own; none is of fxkit.
    assert "fxkit/" not in done.stderr
    # It also names the reason that the worker has left.
    assert re.search(r"traceback : the tape is torn; use another", done.stderr)


def test_a_mistake_in_the_file_is_told_once(fxkit, torchrun):
    fxkit.write("wrong.toml", EXPERIMENT.replace("hidden = 4", "hiden = 4"))
    done = run(torchrun, "wrong.toml")
    assert done.returncode != 0
    assert sum(line.startswith("wrong.toml:") for line in done.stderr.splitlines()) == 1
    # torchrun names it too, at its end, as the reason.
    assert done.stderr.count("hiden") == 2


def test_an_interrupt_is_agreed_on_saved_and_resumed_by_two_workers(fxkit, torchrun, whole):
    cut = run(torchrun, "small.toml", "--out", "cut", KILL_AT="1:3:0", KILL_BY="SIGINT")
    assert cut.returncode != 0
    said = "interrupted after step 3; saved. Go on with: fxkit run --resume cut"
    assert cut.stderr.splitlines().count(said) == 1
    resumed = run(torchrun, "--resume", "cut")
    assert resumed.returncode == 0, resumed.stderr
    assert resumed.stderr.count("resuming cut at step 3") == 1
    assert apart(weights(whole), weights(fxkit.folder / "cut")) == 0


def test_ctrl_c_at_torchrun_saves_the_state(fxkit, torchrun):
    process = run(torchrun, "small.toml", "--out", "cut", "--set", "train.steps=100000", wait=False)
    path = fxkit.folder / "cut" / "metrics.jsonl"
    deadline = time.monotonic() + 100
    while time.monotonic() < deadline and not (path.exists() and path.stat().st_size):
        time.sleep(0.05)
    os.kill(process.pid, signal.SIGINT)
    _, errors = process.communicate(timeout=100)
    assert process.returncode != 0
    assert "saved. Go on with: fxkit run --resume cut" in errors
    assert (fxkit.folder / "cut" / "checkpoints" / "last.pt").is_file()
