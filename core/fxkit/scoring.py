"""Score a finished run on one of its splits, from its folder alone."""

from __future__ import annotations

from pathlib import Path

import torch

from fxkit.engine.baselines import baselines
from fxkit.engine.evaluation import evaluate
from fxkit.engine.setup import prepare
from fxkit.errors import RunError
from fxkit.scores import Comparison, Interval, Scores
from fxkit.trained import load

__all__ = ["Comparison", "Interval", "Scores", "score_run"]


def score_run(path: Path, *, split: str, device: str = "auto", allow_local: bool = False) -> Scores:
    """Load the weights and the data of a run folder and measure them.

    Raises `RunError` when the split is empty, and what loading model or data raises.
    """
    trained = load(path, device=device, allow_local=allow_local)
    if trained.training is None:
        raise RunError(
            f"{path}: was imported, and there are no recordings to score it on; train it further on some "
            f"with: fxkit run EXPERIMENT --init {path}"
        )
    with torch.random.fork_rng():
        prepared = prepare(trained.training, device=trained.device)
    material = prepared.materials[split]
    if not material.recordings:
        raise RunError(f"{path}: its {split} split has no recordings")
    evaluation = evaluate(
        trained.model,
        prepared.terms,
        material,
        split=split,
        step=0,
        sample_rate=trained.sample_rate,
        device=trained.device,
    )
    return Scores(
        run=str(path),
        split=split,
        metrics={name: Interval(value) for name, value in evaluation.metrics.items()},
        recordings={example.name: example.metrics for example in evaluation.examples},
        baselines=baselines(prepared.terms, material),
    )
