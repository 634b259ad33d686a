"""Reports of runs that never were: made-up recordings, figures and journal."""

from __future__ import annotations

import math
from pathlib import Path

import pytest
import torch

from fxkit.engine.evaluation import Evaluation, Example
from fxkit.inspection.card import ModelCard, NodeCard, ParameterCard
from fxkit.model.chain import parse_chain
from fxkit.report.contents import Contents, RunContents
from fxkit.runs.folder import RunFolder
from fxkit.scores import Interval, Scores

RATE = 8000
RESOLVED = {
    "run": {"name": "pedal"},
    "losses": {"error": {"type": "esr", "pre_emphasis": 0.95, "weight": 1.0}},
    "metrics": {"esr": {"type": "esr", "pre_emphasis": 0.0}},
    "train": {"best": "esr"},
}
RESULTS = {"steps": 300, "best": 200, "seconds": 65.0, "stopped": None, "weights": 12, "device": "cpu"}
LOCK = {
    "started": "2024-02-03T04:05:06+00:00",
    "machine": "x86_64",
    "packages": {"fxkit": "0.1.0", "torch": "2.11.0"},
    "data": {"train": {"a": "00"}, "test": {"b": "11"}},
}
RECORDS = (
    {"kind": "train", "step": 1, "error": 1.0, "total": 1.0},
    {"kind": "train", "step": 300, "error": 0.5, "total": 0.5},
    {"kind": "val", "step": 100, "error": 0.8, "esr": 0.4, "loss": 0.8},
    {"kind": "val", "step": 200, "error": 0.5, "esr": 0.2, "loss": 0.5},
)


def make_example(name: str = "riff", seconds: float = 2.0, channels: int = 1, dry: bool = True) -> Example:
    """Return a recording that gets louder; its prediction is a little off."""
    times = torch.arange(round(seconds * RATE)) / RATE
    target = (0.5 * times / seconds * torch.sin(2 * math.pi * 440 * times)).expand(channels, -1).contiguous()
    return Example(
        name=name,
        target=target,
        prediction=0.9 * target,
        input=0.5 * target if dry else None,
        skip=0,
        metrics={"error": 0.02, "esr": 0.01},
        stems={},
        parameters={},
    )


def make_run(
    path: str = "runs/pedal",
    *,
    esr: float = 0.01,
    examples: tuple[Example, ...] | None = None,
    baselines=None,
    records=RECORDS,
    bare: bool = False,
) -> RunContents:
    """Return a run with made-up figures; a bare one has no documents."""
    examples = (make_example(),) if examples is None else examples
    scores = Scores(
        run=path,
        split="test",
        metrics={
            "error": Interval(2 * esr),
            "esr": Interval(esr, 0.9 * esr, 1.2 * esr),
            "loss": Interval(2 * esr),
        },
        recordings={example.name: {"error": 2 * esr, "esr": esr} for example in examples},
        baselines=baselines
        if baselines is not None
        else {
            "silence": {"error": 1.0, "esr": 1.0},
            "input": {"error": 0.9, "esr": 0.8},
            "filter": {"error": 0.3, "esr": 0.25},
        },
    )
    evaluation = Evaluation(
        split="test", step=300, sample_rate=RATE, metrics={"esr": esr}, examples=tuple(examples)
    )
    documents = {} if bare else {"resolved": RESOLVED, "lock": LOCK, "results": RESULTS}
    texts = {} if bare else {"resolved_text": "[run]\nname = 'pedal'\n", "lock_text": "machine = 'x86_64'\n"}
    return RunContents(
        folder=RunFolder(Path(path)),
        scores=scores,
        evaluation=evaluation,
        records=() if bare else tuple(records),
        **documents,
        **texts,
    )


def make_node(*parameters) -> NodeCard:
    """Describe a node."""
    return NodeCard(
        name="tone", plugin="fxkit/gain", version="1", channels=1, latency=0, causal=True, receptive_field=1,
        weights=2, trained=True, macs=1.0, inputs={}, controller="tone.controller", parameters=parameters,
    )  # fmt: skip


def make_card(*parameters, name: str = "m") -> ModelCard:
    """Describe a model of one node."""
    return ModelCard(
        name=name, source="s", stands="as trained", sample_rate=8000, hop=64, channels=1, target_channels=1,
        latency=0, receptive_field=1, weights=2, macs=1.0, tree=parse_chain(["tone"]),
        nodes={"tone": make_node(*parameters)}, controllers={},
    )  # fmt: skip


def make_parameter(
    name="frequency", low=20.0, high=20000.0, mapping="log", values=(200.0, 2000.0), unit="Hz"
) -> ParameterCard:
    """Describe a parameter."""
    return ParameterCard(
        name=name, unit=unit, low=low, high=high, mapping=mapping, values=values, setter="tone.controller"
    )


@pytest.fixture
def card():
    """Describe a model by its parameters."""
    return make_card


@pytest.fixture
def parameter():
    """Describe a parameter."""
    return make_parameter


@pytest.fixture
def example():
    """Make one evaluated recording."""
    return make_example


@pytest.fixture
def run():
    """Make one run's contents."""
    return make_run


@pytest.fixture
def contents():
    """Make the contents of a report of one run."""

    def make(**options) -> Contents:
        return Contents(runs=(make_run(**options),))

    return make
