"""Train a gray-box chain in nablafx's form on an experiment's own data, losses and steps.

    python tests/performance/bench_graybox.py eq --set data.root=FOLDER [--lr 0.1] [--steps 1000]

`eq`: parametric equaliser and gain. `compressor`: equaliser, gain moved by an LSTM, equaliser, gain (their
chain for compressors; they have none of their own). `overdrive-graybox`: equaliser, gain, offset, learned
waveshaper, gain, equaliser (their chain for distortion). Their processors sample a filter's response on an
FFT grid while they train and map every range linearly. Everything else is the experiment's: the same
segments in the same order, losses, number of steps, Adam with a cosine. Printed is the test ESR of the best
validation, of the path that trains and, where it runs, of the path that nablafx evaluates with, beside the
seconds per step; `fxkit run` prints the same of fxkit's chain.

Needs nablafx 1.0.0 (see its own requirements). Modules that it imports and does not need here (wandb,
frechet_audio_distance) are stood for when they are missing.
"""

from __future__ import annotations

import argparse
import importlib.machinery
import importlib.util
import json
import math
import pathlib
import sys
import time
import types
from typing import Any
from unittest.mock import MagicMock

import torch

from fxkit.engine.objective import measure, weighted_total
from fxkit.engine.segments import Segments
from fxkit.engine.setup import prepare, trainable
from fxkit.experiment.reader import read_experiment
from fxkit.values import Output

RANGES = {"sample_rate": 48000, "min_gain_db": -12.0, "max_gain_db": 12.0, "min_q_factor": 0.1,
          "max_q_factor": 10.0, "block_size": 128, "control_type": "static"}  # fmt: skip
GAIN = {"sample_rate": 48000, "min_gain_db": -40.0, "max_gain_db": 40.0}
CONTROL = {"num_controls": 0, "stat_control_params_initial": "rnd", "stat_cond_num_layers": 3,
           "stat_cond_hidden_dim": 16, "dyn_block_size": 128, "dyn_num_layers": 1,
           "dyn_cond_block_size": 128, "dyn_cond_num_layers": 1}  # fmt: skip


class _Stand(types.ModuleType):
    def __getattr__(self, name: str) -> Any:
        if name.startswith("__"):
            raise AttributeError(name)
        return MagicMock()


def stand_in(*names: str) -> None:
    """Put an empty module in the place of each that is not installed."""
    for name in names:
        if importlib.util.find_spec(name) is None:
            module = _Stand(name)
            module.__spec__ = importlib.machinery.ModuleSpec(name, None)
            sys.modules[name] = module


def chain(device: str) -> torch.nn.Module:
    """Build nablafx's chain for a device, with the ranges of its own configurations."""
    stand_in("wandb", "frechet_audio_distance")
    from nablafx import processors as p
    from nablafx.core import GreyBoxModel

    # Its wheel puts the curve that it starts from below the environment.
    curve = pathlib.Path(sys.prefix, "share/nablafx/weights/static_mlp_nonlinearity_h32-l3_tanh.pt")
    gain = p.Gain(**GAIN, control_type="static")
    nodes = {
        "eq": lambda: [p.ParametricEQ(**RANGES), gain],
        "compressor": lambda: [
            p.ParametricEQ(**RANGES), p.Gain(**GAIN, control_type="dynamic"), p.ParametricEQ(**RANGES), gain,
        ],
        "overdrive-graybox": lambda: [
            p.ParametricEQ(**RANGES), gain,
            p.DCOffset(sample_rate=48000, min_offset=-2.0, max_offset=2.0, control_type="static"),
            p.StaticMLPNonlinearity(sample_rate=48000, hidden_dim=32, num_layers=3, w0_initial=30.0,
                                    pretrained=str(curve) if curve.is_file() else None, lr_multiplier=0.01),
            p.Gain(**GAIN, control_type="static"), p.ParametricEQ(**RANGES),
        ],
    }  # fmt: skip
    return GreyBoxModel(nodes[device](), **CONTROL)


def through(model: torch.nn.Module, audio: torch.Tensor, *, train: bool) -> torch.Tensor:
    """Run the chain; `train` chooses between its two ways to filter."""
    if hasattr(model, "reset_states"):
        model.reset_states()
    result = model(audio, None, train=train)
    return result[0] if isinstance(result, tuple) else result


def test_error(model: torch.nn.Module, recordings: Any, *, train: bool) -> float:
    """Return the mean ESR over recordings, each without the start that scores leave out."""
    ratios = []
    with torch.no_grad():
        for one in recordings:
            miss = (through(model, one.input[None], train=train)[0] - one.target)[:, one.skip :]
            ratios.append(
                float(miss.double().square().sum() / one.target[:, one.skip :].double().square().sum())
            )
    return sum(ratios) / len(ratios)


def main() -> None:
    """Train and print one line of JSON."""
    parser = argparse.ArgumentParser(
        description=__doc__, formatter_class=argparse.RawDescriptionHelpFormatter
    )
    parser.add_argument("experiment", choices=["eq", "compressor", "overdrive-graybox"])
    parser.add_argument("--set", dest="settings", action="append", default=[])
    parser.add_argument("--lr", type=float, default=0.1, help="learning rate; theirs by default")
    parser.add_argument("--steps", type=int, help="optimiser steps; the experiment's by default")
    parser.add_argument("--minutes", type=float, default=math.inf, help="stop training after as long")
    options = parser.parse_args()
    prepared = prepare(read_experiment(options.experiment, overrides=options.settings), device="cpu")
    train = prepared.experiment.train
    steps = options.steps or train.steps
    segments = Segments(
        prepared.materials["train"],
        segment=prepared.experiment.data.keys.segment,
        warmup=prepared.experiment.data.keys.warmup,
        batch_size=train.batch_size,
        seed=prepared.experiment.run.seed,
    )
    model = chain(options.experiment)
    optimizer = torch.optim.Adam(model.parameters(), lr=options.lr)
    schedule = torch.optim.lr_scheduler.CosineAnnealingLR(optimizer, steps)
    terms = tuple(term for term in prepared.terms if trainable(term))
    best, weights, start, step = math.inf, model.state_dict(), time.perf_counter(), 0
    while step < steps and time.perf_counter() - start < 60 * options.minutes:
        batch = segments.batch(step)
        values = measure(terms, Output(audio=through(model, batch.input, train=True)), batch)
        optimizer.zero_grad()
        weighted_total(terms, values).backward()
        torch.nn.utils.clip_grad_value_(model.parameters(), 10.0)
        optimizer.step()
        schedule.step()
        step += 1
        if step % train.validate_every == 0 or step == steps:
            error = test_error(model, prepared.materials["val"].recordings, train=True)
            print(f"step {step}: validation ESR {error:.5g}", file=sys.stderr)
            if error < best:
                best = error
                weights = {name: value.clone() for name, value in model.state_dict().items()}
    seconds = time.perf_counter() - start
    model.load_state_dict(weights)
    recordings = prepared.materials["test"].recordings
    result = {"experiment": options.experiment, "form": "nablafx", "lr": options.lr, "steps": step}
    result |= {"weights": sum(weight.numel() for weight in model.parameters())}
    result |= {"esr": test_error(model, recordings, train=True), "seconds_per_step": seconds / step}
    try:
        result["esr_of_evaluation_path"] = test_error(model, recordings, train=False)
    except Exception as error:
        result["evaluation_path"] = f"{type(error).__name__}: {error}"
    print(json.dumps(result))


if __name__ == "__main__":
    main()
