"""Measure what callbacks add to validations: the wall time with six of them on against none.

Usage: python tests/performance/bench_validation.py --data FOLDER [--every 500] [--rounds 7]

FOLDER is the experiment's data.root; leave it out where it needs none. The six are audio-samples,
metrics (two that the experiment does not have), frequency-response, parameter-tracks, block-audio and
tensorboard, each with its defaults: they act every 500 steps. A round is as many validations as there are
between two times that they act. Rounds with and without callbacks alternate in one process, after one of
each that is not counted; the ratio is that of the medians. What is drawn and written beside the run is
waited for between rounds, and its CPU time is told at the end. Weights stand still: what is
measured is validating, not training.
"""

from __future__ import annotations

import argparse
import resource
import statistics
import tempfile
import time
from functools import partial
from pathlib import Path

import attrs
import torch

from fxkit import job
from fxkit.engine.interrupts import InterruptRequest
from fxkit.engine.loop import Loop
from fxkit.engine.setup import Prepared, prepare
from fxkit.experiment.reader import read_experiment
from fxkit.hook_trace import HookTrace
from fxkit.runs.lock import lock_document
from fxkit.runs.progress import Silent

SIX = {
    "listen": 'type = "audio-samples"',
    "quality": 'type = "metrics"\nmetrics = { a = { type = "lufs-difference" }, b = { type = "si-sdr" } }',
    "response": 'type = "frequency-response"',
    "parameters": 'type = "parameter-tracks"',
    "blocks": 'type = "block-audio"',
    "curves": 'type = "tensorboard"',
}


@attrs.define
class Validating:
    """Validate again and again, as a run with some callbacks would."""

    loop: Loop
    every: int
    trace: HookTrace

    def round(self, validations: int) -> tuple[float, float]:
        """Make a round; returns wall and CPU seconds."""
        wall, cpu = time.perf_counter(), time.process_time()
        for _ in range(validations):
            self.loop.run.step += self.every
            self.loop._validate()
        return time.perf_counter() - wall, time.process_time() - cpu


def validating(prepared: Prepared, callbacks, folder: Path) -> Validating:
    """Open a run with these callbacks."""
    experiment = attrs.evolve(prepared.experiment, callbacks=callbacks)
    mine = attrs.evolve(prepared, experiment=experiment)
    trace = HookTrace()
    run = job.open_run(mine, job.begin(experiment, mine, lock_document(experiment), folder), Silent(), trace)
    run.callbacks.hook.fx_run_start(run=run)
    loop = Loop(run=run, segments=partial(job.training_segments, mine), request=InterruptRequest())
    return Validating(loop, experiment.train.validate_every, trace)


def document(options: argparse.Namespace, folder: Path) -> Path:
    """Write the experiment with the six callbacks in the place of its own."""
    shipped = read_experiment(options.experiment, overrides=options.overrides)
    tables = [f"[callbacks.{name}]\n{text}" for name, text in SIX.items()]
    if options.every:
        tables = [text if "tensorboard" in text else f"{text}\nevery = {options.every}" for text in tables]
    dump = job.dump_toml({**shipped.resolved, "callbacks": {}})
    path = folder / "bench.toml"
    path.write_text(f"{dump}\n" + "\n\n".join(tables) + "\n")
    return path


def main() -> None:
    """Run the benchmark."""
    parser = argparse.ArgumentParser(description=__doc__)
    parser.add_argument("--experiment", default="overdrive-graybox")
    parser.add_argument("--data", help="data.root")
    parser.add_argument("--every", type=int, help="steps between two times that callbacks act")
    parser.add_argument("--rounds", type=int, default=7)
    parser.add_argument("--without", nargs="*", default=(), help="callbacks to leave out, by name")
    options = parser.parse_args()
    options.overrides = [f"data.root={Path(options.data).resolve()}"] if options.data else []
    torch.set_num_threads(1)
    with tempfile.TemporaryDirectory() as name:
        folder = Path(name)
        experiment = read_experiment(document(options, folder))
        prepared = prepare(experiment, device="cpu")
        wanted = {key: part for key, part in experiment.callbacks.items() if key not in options.without}
        on, off = (validating(prepared, c, folder / d) for c, d in ((wanted, "on"), ({}, "off")))
        report(options, on, off)


def report(options: argparse.Namespace, on: Validating, off: Validating) -> None:
    """Measure rounds in turn and print what came out."""
    callbacks = on.loop.run.experiment.callbacks
    acts = max((getattr(part.spec, "every", 0) or 0) for part in callbacks.values())
    validations = max(acts // on.every, 1)
    times = {"on": [], "off": []}
    for number in range(options.rounds + 1):
        for name, one in (("off", off), ("on", on)):
            measured = one.round(validations)
            one.loop.run.background.settle(one)
            if number:
                times[name].append(measured)
    on.loop.run.background.close()
    seconds = on.loop.run.prepared.materials["val"].recordings[0].samples / on.loop.run.sample_rate
    print(f"{options.experiment}: validations every {on.every} steps, callbacks act every {acts}; ", end="")
    print(f"first recording {seconds:.0f} s")
    for index, clock in enumerate(("wall", "CPU")):
        a, b = (statistics.median(row[index] for row in times[name]) for name in ("on", "off"))
        each = f"{b / validations:.3f} s without, {a / validations:.3f} s with callbacks"
        print(f"{clock} per validation: {each}, ratio {a / b:.2f}")
    used = resource.getrusage(resource.RUSAGE_CHILDREN)
    beside = (used.ru_utime + used.ru_stime) / ((options.rounds + 1) * validations)
    print(f"CPU beside the run: {beside:.3f} s per validation")
    print(*on.trace.table(), sep="\n")


if __name__ == "__main__":
    main()
