"""Run the real command in a process of its own, on experiments small enough for seconds."""

from __future__ import annotations

import os
import subprocess
import sys
from pathlib import Path

import pytest

SMALL = """
fxkit = 1

[run]
name = "small"
seed = 3
sample_rate = 16000

[data]
type = "virtual-device"
segment = 1024
warmup = 256
train_seconds = 2.0
val_seconds = 0.5
test_seconds = 0.5

[nodes.drive]
type = "gain"
controller = { type = "static" }

[nodes.amp]
type = "lstm"
hidden = 4

[model]
chain = ["drive", "amp"]

[losses.error]
type = "esr"
floor = -30.0

[metrics.l1]
type = "l1"

[train]
steps = 12
batch_size = 2
validate_every = 5
log_every = 1
optimizer = { type = "adam", lr = 0.01 }
schedule = { type = "cosine" }
"""


class Command:
    """Call `python -m fxkit` in a folder."""

    def __init__(self, folder: Path) -> None:
        self.folder = folder
        self.environment = {**os.environ, "FXKIT_CACHE": str(folder / "cache"), "COLUMNS": "120"}

    def __call__(self, *arguments: object, check: bool = False, **environment: str):
        return subprocess.run(
            [sys.executable, "-m", "fxkit", *map(str, arguments)],
            cwd=self.folder,
            env={**self.environment, **environment},
            capture_output=True,
            text=True,
            timeout=300,
            check=check,
        )

    def start(self, *arguments: object, **environment: str) -> subprocess.Popen:
        """Start the command and return at once."""
        return subprocess.Popen(
            [sys.executable, "-m", "fxkit", *map(str, arguments)],
            cwd=self.folder,
            env={**self.environment, **environment},
            stdout=subprocess.PIPE,
            stderr=subprocess.PIPE,
            text=True,
        )

    def write(self, name: str, text: str) -> Path:
        """Write a file into the folder."""
        path = self.folder / name
        path.write_text(text, encoding="utf-8")
        return path


@pytest.fixture
def fxkit(tmp_path):
    """The command, in an empty folder."""
    return Command(tmp_path)


@pytest.fixture
def small():
    """A small experiment's text."""
    return SMALL
