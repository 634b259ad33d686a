"""Train shipped experiments on device folders and tabulate what each model costs and reaches.

    python tests/performance/bench_models.py path/to/overdrive path/to/compressor --minutes 5 --out FOLDER
                                             [--models amp-lstm,amp-tcn] [--set PATH=VALUE]

Each cell is one model on one device: `fxkit run` for so many minutes, then `fxkit inspect` for weights and
multiplications per sample, `fxkit bench` for the real-time factor on one thread, and the run's own test
scores. A model may be an experiment or EXPERIMENT:NAME:PATH=VALUE[:PATH=VALUE], a variant with a name
of its own. FOLDER gets the runs, a JSON file per cell, models.json and models.md; cells that are there are
not measured again, so that an interrupted measurement goes on where it was. Copy models.json to
docs/models.json for the page "Which model for which device".
"""

from __future__ import annotations

import argparse
import json
import os
import pathlib
import subprocess
import sys
import tempfile
import time
from collections.abc import Sequence
from typing import Any

ROOT = pathlib.Path(__file__).parents[2]
sys.path.insert(0, str(ROOT / "docs" / "_ext"))

from fxkit_docs.models import models_table  # noqa: E402

MODELS = (
    "amp-lstm",
    "amp-lstm:amp-lstm-96:nodes.amp.hidden=96",
    "amp-gru",
    "amp-tcn",
    "amp-gcn",
    "amp-wavenet",
    'amp-wavenet:amp-wavenet-feather:nodes.amp.preset="feather"',
    "amp-s4",
    "amp-lru",
    "amp-transformer",
    "amp-hybrid",
    "hybrid-compressor",
    "overdrive-graybox",
    "overdrive-circuit",
    "compressor",
    "compressor-follower",
)
BLOCK = 128


def fxkit(*words: str, threads: int) -> Any:
    """Run a command of fxkit that writes JSON, and return that."""
    environment = {**os.environ, "OMP_NUM_THREADS": str(threads)}
    with tempfile.TemporaryFile("w+") as errors:
        result = subprocess.run(
            [sys.executable, "-m", "fxkit", *words, "--json"],
            stdout=subprocess.PIPE, stderr=errors, text=True, env=environment,
        )  # fmt: skip
        errors.seek(0)
        if result.returncode:
            raise RuntimeError(errors.read()[-2000:])
    text = result.stdout.strip()
    # A run writes its result on the last line, the other commands over several.
    return json.loads(text if text.startswith("{\n") else text.splitlines()[-1])


def measured(model: str, device: pathlib.Path, options: argparse.Namespace, run: pathlib.Path) -> dict:
    """Train and measure one cell."""
    experiment, name, settings = parts(model)
    # One name for the same measure in all experiments; time alone ends them, and none goes into pictures.
    lines = ['metrics.mr_stft.type="multi-resolution-stft"', "train.steps=100000000"]
    lines += [f"callbacks.{name}.every=100000000" for name in ("listen", "parameters")]
    lines += [f"data.root={json.dumps(str(device))}", f'train.until="{60 * options.minutes:g} s"']
    words = [word for line in (*lines, *settings, *options.settings) for word in ("--set", line)]
    start = time.perf_counter()
    result = fxkit("run", experiment, "--out", str(run), *words, threads=options.threads)
    minutes = (time.perf_counter() - start) / 60
    card = fxkit("inspect", str(run), threads=1)
    stream = fxkit("bench", str(run), "--block", str(BLOCK), "--seconds", str(options.seconds), threads=1)
    scores = result["test"]
    return {
        "model": name,
        "device": device.name,
        "weights": card["weights"],
        "macs": card["macs"],
        "latency": card["latency"],
        "real_time": stream["blocks"][0]["real_time"],
        "esr": scores.get("esr"),
        "mr_stft": scores.get("mr_stft"),
        "minutes": minutes,
        "steps": result.get("steps"),
    }


def parts(model: str) -> tuple[str, str, Sequence[str]]:
    """Return the experiment, the name and the settings of a model as it was given."""
    experiment, *rest = model.split(":")
    return experiment, rest[0] if rest else experiment, rest[1:]


def about(options: argparse.Namespace) -> dict:
    """Describe the measurement."""
    import torch

    return {
        "minutes": options.minutes,
        "threads": options.threads,
        "block": BLOCK,
        "torch": torch.__version__,
    }


def main() -> None:
    """Fill the table cell by cell, and write it after each."""
    parser = argparse.ArgumentParser(
        description=__doc__, formatter_class=argparse.RawDescriptionHelpFormatter
    )
    parser.add_argument("devices", nargs="+", type=pathlib.Path, help="folders of recordings")
    parser.add_argument("--out", type=pathlib.Path, required=True, help="folder for runs and figures")
    parser.add_argument("--minutes", type=float, default=5.0, help="time to train each cell")
    parser.add_argument("--models", help="models, by commas, instead of the usual ones")
    parser.add_argument("--threads", type=int, default=2, help="threads to train with")
    parser.add_argument("--seconds", type=float, default=5.0, help="audio to stream for the real-time factor")
    parser.add_argument("--set", dest="settings", action="append", default=[], help="change every experiment")
    options = parser.parse_args()
    options.out.mkdir(parents=True, exist_ok=True)
    cells, failed = [], False
    for model in options.models.split(",") if options.models else MODELS:
        for device in options.devices:
            stem = f"{parts(model)[1]}-{device.name}"
            file = options.out / f"{stem}.json"
            if not file.exists():
                print(f"{stem} ...", file=sys.stderr, flush=True)
                try:
                    run = options.out / "runs" / f"{stem}-{time.time_ns()}"
                    file.write_text(
                        json.dumps(measured(model, device.resolve(), options, run), indent=1) + "\n"
                    )
                except RuntimeError as error:
                    print(f"{stem} failed:\n{error}", file=sys.stderr)
                    failed = True
                    continue
            cells.append(json.loads(file.read_text()))
            summary = {"about": about(options), "cells": cells}
            (options.out / "models.json").write_text(json.dumps(summary, indent=1) + "\n")
            (options.out / "models.md").write_text(models_table(options.out / "models.json") + "\n")
    if (options.out / "models.md").exists():
        print((options.out / "models.md").read_text())
    sys.exit(1 if failed else 0)


if __name__ == "__main__":
    main()
