"""Score a finished run on one of its splits, from its folder alone."""

from __future__ import annotations

from collections.abc import Mapping
from pathlib import Path

import attrs
import torch

from fxkit.engine.baselines import baselines
from fxkit.engine.evaluation import evaluate
from fxkit.engine.setup import prepare
from fxkit.errors import RunError
from fxkit.files import finite, strict_json
from fxkit.trained import load


@attrs.frozen(kw_only=True)
class Scores:
    """Hold a split's figures: means, per recording, and of the baselines."""

    run: str
    split: str
    metrics: Mapping[str, float]
    recordings: Mapping[str, Mapping[str, float]]
    baselines: Mapping[str, Mapping[str, float]]

    def to_json(self) -> str:
        """Write the scores on one line of strict JSON; a figure that is not finite is null."""
        return strict_json(finite(attrs.asdict(self)))


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
        metrics=evaluation.metrics,
        recordings={example.name: example.metrics for example in evaluation.examples},
        baselines=baselines(prepared.terms, material),
    )
