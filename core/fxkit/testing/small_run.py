"""A training of a few steps on a model of the kit's own, for what only shows in a run."""

from __future__ import annotations

import contextlib
import os
from collections.abc import Iterator, Mapping
from pathlib import Path
from typing import Any

from fxkit.experiment.model import Experiment
from fxkit.experiment.reader import read_document
from fxkit.job import run_experiment
from fxkit.run_end import RunResult
from fxkit.runs.progress import Silent
from fxkit.testing.declaration import local_catalog, written
from fxkit.testing.stock import Descent, MeanError, Noise, Softener, Still

RATE = 16000


def small_experiment(folder: Path, **places: Mapping[str, Any]) -> Experiment:
    """Return an experiment of six steps; `places` adds specs: callbacks = {"subject": spec}."""
    mine = {
        "datasets": Noise(), "processors": Softener(), "controllers": Still(), "losses": MeanError(),
        "optimizers": Descent(),
    }  # fmt: skip
    node = {**written(mine["processors"], "processors"), "controller": written(Still(), "controllers")}
    document: dict[str, Any] = {
        "fxkit": 1,
        "run": {"name": "small", "seed": 3, "sample_rate": RATE, "device": "cpu"},
        "data": {**written(mine["datasets"], "datasets"), "segment": 256},
        "nodes": {"soft": node},
        "model": {"chain": ["soft"]},
        "losses": {"error": written(mine["losses"], "losses")},
        "train": {
            "steps": 6, "batch_size": 2, "validate_every": 2, "log_every": 1,
            "optimizer": written(mine["optimizers"], "optimizers"),
        },
    }  # fmt: skip
    specs = list(mine.items())
    for kind, named in places.items():
        document[kind] = {name: written(spec, kind) for name, spec in named.items()}
        specs += [(kind, spec) for spec in named.values()]
    return read_document(document, str(folder / "small.toml"), catalog=local_catalog(specs))


def small_run(folder: Path, **places: Mapping[str, Any]) -> RunResult:
    """Run that experiment into `folder`/run."""
    with _cache_in(folder):
        experiment = small_experiment(folder, **places)
        return run_experiment(experiment, progress=Silent(), out=folder / "run", device="cpu")


@contextlib.contextmanager
def _cache_in(folder: Path) -> Iterator[None]:
    before = os.environ.get("FXKIT_CACHE")
    os.environ["FXKIT_CACHE"] = str(folder / "cache")
    try:
        yield
    finally:
        if before is None:
            del os.environ["FXKIT_CACHE"]
        else:
            os.environ["FXKIT_CACHE"] = before
