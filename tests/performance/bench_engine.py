"""Measure what the engine adds to a training step: everything but model, losses, backward, optimiser.

Usage: python tests/performance/bench_engine.py [--experiment quickstart] [--steps 60]

The real loop runs with the experiment's own callbacks; clocks around the four parts give the rest.
Gradient clipping counts as the optimiser's. Validations and saves, which are not part of a step, are
left out. Prints medians over the steps.
"""

from __future__ import annotations

import argparse
import statistics
import tempfile
import time
from collections import defaultdict
from functools import partial
from pathlib import Path

import torch

from fxkit import job
from fxkit.engine import loop, step
from fxkit.engine.interrupts import InterruptRequest
from fxkit.engine.setup import prepare
from fxkit.experiment.reader import read_experiment
from fxkit.runs.lock import lock_document
from fxkit.runs.progress import Lines


class Clocks:
    """Add up the time spent in each part of the current step."""

    def __init__(self) -> None:
        self.spent: dict[str, float] = defaultdict(float)

    def around(self, name, function):
        """Return `function` with its time added to `name`."""

        def timed(*args, **kwargs):
            began = time.perf_counter()
            try:
                return function(*args, **kwargs)
            finally:
                self.spent[name] += time.perf_counter() - began

        return timed


def begin(experiment, prepared, folder):
    """Make a run folder as a real run does."""
    return job.begin(experiment, prepared, lock_document(experiment), Path(folder) / "run")


def main() -> None:
    """Run the benchmark."""
    parser = argparse.ArgumentParser(description=__doc__)
    parser.add_argument("--experiment", default="quickstart")
    parser.add_argument("--steps", type=int, default=60)
    options = parser.parse_args()
    settings = (f"train.steps={options.steps}", "train.validate_every=1000000")
    experiment = read_experiment(options.experiment, overrides=settings)
    prepared = prepare(experiment, device="cpu")
    clocks = Clocks()
    rows = []
    with tempfile.TemporaryDirectory() as folder:
        run = job.open_run(prepared, begin(experiment, prepared, folder), Lines())
        prepared.model.forward = clocks.around("model", prepared.model.forward)
        run.optimizer.step = clocks.around("optimizer", run.optimizer.step)
        run.optimizer.zero_grad = clocks.around("optimizer", run.optimizer.zero_grad)
        torch.Tensor.backward = clocks.around("backward", torch.Tensor.backward)
        step.measure = clocks.around("losses", step.measure)
        step.weighted_total = clocks.around("losses", step.weighted_total)
        clip = clocks.around("optimizer", torch.nn.utils.clip_grad_norm_)
        torch.nn.utils.clip_grad_norm_ = clip
        run.callbacks.hook.fx_run_start(run=run)
        run.progress.start(0, options.steps, None)
        segments = partial(job.training_segments, prepared)
        steps = loop.Loop(run=run, segments=segments, request=InterruptRequest())
        for _ in range(options.steps):
            clocks.spent.clear()
            began = time.perf_counter()
            run.pending = steps.step()
            steps.end_step(run.pending)
            rows.append({"step": time.perf_counter() - began, **clocks.spent})
        steps.close()
        run.callbacks.hook.fx_close(run=run)
    report(rows[3:])


def report(rows: list[dict[str, float]]) -> None:
    """Print the median of each part and the engine's share."""
    parts = ("model", "losses", "backward", "optimizer")
    shares = [1 - sum(row[part] for part in parts) / row["step"] for row in rows]
    for name in ("step", *parts):
        print(f"{name:10s} {1e3 * statistics.median(row[name] for row in rows):9.2f} ms")
    print(f"{'engine':10s} {100 * statistics.median(shares):9.2f} % of a step (median of {len(rows)} steps)")


if __name__ == "__main__":
    main()
