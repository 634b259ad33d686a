"""Keep weights while a network trains, and score them afterwards; for `bench_time_to_quality.py`.

Keeping a copy costs next to nothing, so that what is measured does not slow what is trained.
"""

from __future__ import annotations

import pathlib
import time
from collections.abc import Callable, Sequence
from typing import Any

import attrs
import soundfile
import torch
from torch import Tensor, nn

import fxkit
from fxkit.spec import opt

Pair = tuple[Tensor, Tensor]
# Seconds of training, steps, weights.
Kept = tuple[float, int, dict[str, Tensor]]


class Log:
    """Copy the weights of `network` every `every` seconds of training; what is paused does not count."""

    def __init__(self, every: float) -> None:
        self.every = every
        self.began = time.perf_counter()
        self.paused = 0.0
        self.pause_began: float | None = None
        self.steps = 0
        self.stepped = 0.0
        self.kept: list[Kept] = []

    @property
    def seconds(self) -> float:
        """Return how long the network has trained."""
        return time.perf_counter() - self.began - self.paused

    def pause(self) -> None:
        """Stop the clock, unless it stands."""
        if self.pause_began is None:
            self.pause_began = time.perf_counter()

    def resume(self) -> None:
        """Let the clock go on."""
        if self.pause_began is not None:
            self.paused += time.perf_counter() - self.pause_began
            self.pause_began = None

    def step(self, network: nn.Module) -> None:
        """Count a step, and keep the weights when it is time."""
        self.steps += 1
        self.stepped = self.seconds
        if self.stepped >= self.every * (len(self.kept) + 1):
            self.keep(network)

    def keep(self, network: nn.Module) -> None:
        """Copy the weights, as they have been since the last step."""
        weights = {name: value.detach().clone() for name, value in network.state_dict().items()}
        self.kept.append((self.stepped, self.steps, weights))


def curve(kept: Sequence[Kept], network: nn.Module, score: Callable[[], float]) -> list[dict[str, float]]:
    """Return what `score` tells of each copy of the weights; the network is left with the last."""
    rows = []
    for seconds, steps, weights in kept:
        network.load_state_dict(weights)
        rows.append({"seconds": round(seconds, 2), "steps": steps, "esr": score()})
    return rows


def recordings(folder: pathlib.Path, split: str) -> list[Pair]:
    """Return the pairs of a split as [1, 1, samples]."""
    found = []
    for path in sorted((folder / split / "input").iterdir()):
        sides = (folder / split / side / path.name for side in ("input", "target"))
        audio, target = (torch.from_numpy(soundfile.read(side, dtype="float32")[0]) for side in sides)
        found.append((audio[None, None], target[None, None]))
    return found


def error_ratio(run: Callable[[Tensor], Tensor], pairs: Sequence[Pair], skip: int) -> float:
    """Return the mean ESR over recordings, each without its first `skip` samples."""
    ratios = []
    with torch.no_grad():
        for audio, target in pairs:
            miss = (run(audio) - target)[..., skip:].double()
            ratios.append(float(miss.square().sum() / target[..., skip:].double().square().sum()))
    return sum(ratios) / len(ratios)


@attrs.frozen(kw_only=True)
class KeepWeights:
    """Keep the weights of a run of fxkit, and write them when it ends."""

    path: pathlib.Path = opt(help="file that is written")
    every: float = opt(10.0, unit="s", gt=0, help="time between copies")

    def build(self, ctx: Any) -> Keeper:
        """Build the callback."""
        return Keeper(self.path, self.every)


class Keeper:
    """Log the steps of a run."""

    def __init__(self, path: pathlib.Path, every: float) -> None:
        self.path, self.every = path, every

    @fxkit.hookimpl
    def fx_run_start(self, run: Any) -> None:
        """Start the clock."""
        self.log = Log(self.every)

    @fxkit.hookimpl
    def fx_step_end(self, run: Any) -> None:
        """Log a step."""
        self.log.step(run.model)

    @fxkit.hookimpl
    def fx_run_end(self, run: Any) -> None:
        """Keep the last weights and write all."""
        self.log.keep(run.model)
        torch.save(self.log.kept, self.path)
