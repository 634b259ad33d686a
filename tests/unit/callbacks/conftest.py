"""A stand-in for a run in progress: real folder, journal, evaluations and parameters, no training."""

from __future__ import annotations

import importlib
from pathlib import Path
from types import SimpleNamespace

import pytest
import torch

from fxkit import Parameter
from fxkit.engine.evaluation import Evaluation, Example
from fxkit.files import write_text
from fxkit.runs.folder import create_folder
from fxkit.runs.journal import Journal

RATE = 8000
HOP = 64
RECORDINGS = (SimpleNamespace(name="one", samples=4000), SimpleNamespace(name="two", samples=4000))


class AtOnce:
    """Make the calls of `fxkit.background.Background` in this process."""

    def call(self, owner, function, *arguments):
        module, _, name = function.partition(":")
        getattr(importlib.import_module(module), name)(*arguments)

    def settle(self, owner):
        """Have nothing to wait for."""


class FakeRun:
    """Behave towards callbacks as `fxkit.engine.session.Run` does."""

    def __init__(self, path: Path, parameters: dict[str, tuple[Parameter, ...]], validate_every: int) -> None:
        self.folder = create_folder(path)
        if not self.folder.resolved.exists():
            write_text(self.folder.resolved, "fxkit = 1\n")
        self.step = 0
        self.pending = None
        self.sample_rate = RATE
        self.learning_rates = {"amp": 0.01}
        self.said: list[str] = []
        self.background = AtOnce()
        self.requested: list[Path] = []
        self.published: list[tuple[str, int, dict[str, float]]] = []
        self.experiment = SimpleNamespace(
            run=SimpleNamespace(name="fake", hop=HOP),
            train=SimpleNamespace(validate_every=validate_every),
            callbacks={},
        )
        nodes = {name: SimpleNamespace(parameters=declared) for name, declared in parameters.items()}
        self.model = SimpleNamespace(plan=SimpleNamespace(nodes=nodes))
        self.prepared = SimpleNamespace(
            terms=[SimpleNamespace(name=name, higher_is_better=False) for name in ("esr", "spectral")],
            materials={split: SimpleNamespace(recordings=RECORDINGS) for split in ("val", "test")},
        )

    def report(self, text: str) -> None:
        self.said.append(text)

    def publish(self, name: str, step: int, values: dict[str, float]) -> None:
        self.published.append((name, step, dict(values)))

    def request_save(self, path: Path | None = None) -> None:
        self.requested.append(path or self.folder.last)

    @property
    def saves_requested(self) -> tuple[Path, ...]:
        return tuple(self.requested)

    def save_requested(self) -> None:
        """Write what was asked for, as the kernel does after the hooks of a step."""
        for path in self.requested:
            write_text(path, f"state of step {self.step}")
        self.requested.clear()

    def journal(self, steps: int) -> None:
        """Write a journal with falling losses."""
        journal = Journal(self.folder.journal)
        for step in range(1, steps + 1):
            journal.write("train", step, {"esr": 1 / step, "total": 2 / step})
        journal.write("val", steps, {"esr": 1 / steps, "l1": 0.5 / steps, "loss": 2 / steps})
        journal.close()


@pytest.fixture
def make_run(tmp_path):
    """Make runs, all in one folder unless named otherwise."""

    def make(parameters=None, validate_every=5, name="run"):
        return FakeRun(tmp_path / name, parameters or {}, validate_every)

    return make


@pytest.fixture
def make_example():
    """Make an example whose prediction is the target at nine tenths."""

    def make(name="one", *, seconds=0.5, channels=1, skip=0, gain=0.5, dry=True, **fields):
        time = torch.arange(round(seconds * RATE)) / RATE
        wave = (torch.sin(2 * torch.pi * 220 * time) * torch.exp(-2 * time))[None].repeat(channels, 1)
        values = {
            "name": name,
            "target": gain * wave,
            "prediction": 0.9 * gain * wave,
            "input": 0.3 * wave if dry else None,
            "skip": skip,
            "metrics": {"esr": 0.01, "spectral": 0.3},
            "stems": {},
            "parameters": {},
        }
        return Example(**{**values, **fields})

    return make


@pytest.fixture
def make_evaluation(make_example):
    """Make the evaluation of a split, by default of one example."""

    def make(*examples, split="val", step=5, **metrics):
        return Evaluation(
            split=split,
            step=step,
            sample_rate=RATE,
            metrics=metrics or {"esr": 0.01, "spectral": 0.3, "loss": 0.31},
            examples=examples or (make_example(),),
        )

    return make
