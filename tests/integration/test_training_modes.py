"""Time limits and phases through the real command."""

from __future__ import annotations

import json

import pytest
import torch

PHASES = """
[[phase]]
name = "coarse"
steps = 900
train = ["amp"]

[[phase]]
name = "fine"
steps = 3
"""


def endless(small):
    """Return the small experiment without its number of steps."""
    return small.replace("steps = 12\n", "")


@pytest.mark.slow
def test_a_time_limit_ends_a_run_and_is_kept_with_it(fxkit, small):
    fxkit.write("timed.toml", endless(small).replace("[train]", '[train]\nuntil = "1.5 s"'))
    done = fxkit("run", "timed.toml", "--out", "run", "--json")
    assert done.returncode == 0, done.stderr
    state = torch.load(fxkit.folder / "run" / "checkpoints" / "last.pt", weights_only=True)
    assert state["course"]["seconds"] >= 1.5
    assert json.loads(done.stdout.splitlines()[-1])["steps"] == state["step"] > 1
    again = fxkit("run", "--resume", "run", "--json")
    assert again.returncode == 0, again.stderr
    assert json.loads(again.stdout.splitlines()[-1])["steps"] == state["step"]


@pytest.mark.slow
def test_phases_run_in_their_order_and_set_reaches_into_them(fxkit, small):
    fxkit.write("phased.toml", endless(small) + PHASES)
    done = fxkit("run", "phased.toml", "--out", "run", "--set", "phase.coarse.steps=2", "--json")
    assert done.returncode == 0, done.stderr
    assert json.loads(done.stdout.splitlines()[-1])["steps"] == 5
    told = [line for line in done.stderr.splitlines() if "phase" in line]
    assert told == ["step 0  phase 1 of 2: coarse", "step 2  phase 2 of 2: fine"]
    dry = fxkit("run", "phased.toml", "--dry-run")
    assert dry.returncode == 0, dry.stderr
    assert "one step made" in dry.stdout
