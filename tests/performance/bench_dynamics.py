"""Time and check compressor gains, forward and backward, against other ways in one process.

    python tests/performance/bench_dynamics.py [--batch 8] [--samples 48000] [--rounds 9]

Smoother: attack and release alone. Gain: static curve, smoothing of the gain and the way back from
decibels. All candidates get the same float32 magnitudes on one thread, and gradients to the magnitudes
and every setting. Rounds alternate, so that a neighbour's load falls on all; figures are the median of
process CPU time (of wall time for streams). Errors are relative to a float64 loop over samples. Streams:
blocks of 64 samples at 48 kHz, one channel.

- `torch`: fxkit where its compiled kernels cannot serve.
- `torchcomp`: compressor_core and compexp_gain, when it is installed; it smooths the gain as a factor,
  not in dB, so that its gain is not comparable in value.
"""

from __future__ import annotations

import argparse
import importlib.util
import statistics
import time
from collections.abc import Callable, Mapping
from unittest import mock

import numba
import torch
from torch import Tensor

from fxkit.catalog import Catalog
from fxkit.context import BuildContext
from fxkit_signal import ballistics, dynamics, gain_computer
from fxkit_signal.ballistics import attack_release
from fxkit_signal.dynamics import Design, Settings, dynamic_gain

RATE = 48000
ATTACK, RELEASE = 0.995, 0.9996
THRESHOLD, RATIO = -20.0, 5.0
STREAMED = ("compressor", "expander", "gate", "limiter", "loudness-normaliser", "multiband-compressor")
Candidate = Callable[[Tensor, Mapping[str, Tensor]], Tensor]


def settings(batch: int, dtype: torch.dtype = torch.float64) -> dict[str, Tensor]:
    """Return the settings that get gradients, one per item."""
    values = {"threshold": THRESHOLD, "ratio": RATIO, "attack": ATTACK, "release": RELEASE}
    return {name: torch.full((batch,), value, dtype=dtype).requires_grad_() for name, value in values.items()}


def smoothed(level: Tensor, given: Mapping[str, Tensor]) -> Tensor:
    """Smooth by fxkit."""
    rise, fall = (given[name][:, None, None] for name in ("attack", "release"))
    return attack_release(level[:, None], rise, fall)[0][:, 0]


def gained(level: Tensor, given: Mapping[str, Tensor]) -> Tensor:
    """Compute the gain by fxkit."""
    at = {name: value[:, None, None] for name, value in given.items()}
    nothing = torch.zeros_like(at["threshold"])
    wired = Settings(
        threshold=at["threshold"], slope=1 - 1 / at["ratio"], knee=nothing, reach=nothing + torch.inf,
        rise=at["attack"], fall=at["release"], after=nothing, average=nothing,
    )  # fmt: skip
    return dynamic_gain(level[:, None], wired, Design())[0][:, 0]


def in_torch(candidate: Candidate) -> Candidate:
    """Keep a candidate from its compiled kernels."""

    def run(level: Tensor, given: Mapping[str, Tensor]) -> Tensor:
        with (
            mock.patch.object(ballistics, "compiled_for", return_value=False),
            mock.patch.object(dynamics, "compiled_for", return_value=False),
            mock.patch.object(gain_computer, "compiled_for", return_value=False),
        ):
            return candidate(level, given)

    return run


def peers() -> tuple[dict[str, Candidate], dict[str, Candidate]]:
    """Return the smoothers and gains of what else is installed."""
    if importlib.util.find_spec("torchcomp") is None:
        return {}, {}
    import torchcomp
    from torchcomp.core import compressor_core

    def smoother(level: Tensor, given: Mapping[str, Tensor]) -> Tensor:
        at = {name: value.to(level.dtype) for name, value in given.items()}
        # It calls a fall of the gain an attack, and weighs the new value.
        return compressor_core(level, torch.zeros(len(level)), 1 - at["release"], 1 - at["attack"])

    def gain(level: Tensor, given: Mapping[str, Tensor]) -> Tensor:
        at = {name: value.to(level.dtype) for name, value in given.items()}
        times = 1 - at["attack"], 1 - at["release"]
        return torchcomp.compexp_gain(level, at["threshold"], at["ratio"], -200.0, 0.5, *times)

    return {"torchcomp": smoother}, {"torchcomp": gain}


def run(candidate: Candidate, level: Tensor, weight: Tensor) -> list[Tensor]:
    """Return the output and the gradients of its weighted sum to level and settings."""
    level, given = level.clone().requires_grad_(), settings(len(level))
    output = candidate(level, given)
    leaves = [level, *given.values()]
    found = torch.autograd.grad((output * weight).sum(), leaves, allow_unused=True, materialize_grads=True)
    return [output.detach(), *found]


def times(candidates: Mapping[str, Candidate], batch: int, samples: int, rounds: int) -> dict[str, float]:
    """Return median seconds over alternating rounds, after two to warm up."""
    level, weight = torch.rand(2, batch, samples) + 1e-4
    found: dict[str, list[float]] = {name: [] for name in candidates}
    for _ in range(rounds + 2):
        for name, candidate in candidates.items():
            start = time.process_time()
            run(candidate, level, weight)
            found[name].append(time.process_time() - start)
    return {name: statistics.median(values[2:]) for name, values in found.items()}


def reference(level: Tensor, given: Mapping[str, Tensor]) -> Tensor:
    """Smooth by a loop over samples in float64."""
    last, out = torch.zeros(len(level), dtype=torch.float64), []
    for x in level.double().unbind(-1):
        c = torch.where(x > last, given["attack"], given["release"])
        last = c * last + (1 - c) * x
        out.append(last)
    return torch.stack(out, dim=-1)


def errors(candidate: Candidate) -> list[float]:
    """Return the relative errors of output and gradients to level, attack and release."""
    level, weight = torch.rand(2, 2, 8000)
    pairs = zip(run(candidate, level, weight), run(reference, level, weight.double()), strict=True)
    figures = [float((a.double() - b).norm() / b.norm().clamp(min=1e-30)) for a, b in pairs]
    return [figures[n] for n in (0, 1, 4, 5)]


def block_time(name: str, blocks: int = 2000) -> float:
    """Return the median seconds that a processor takes for a block of 64 samples."""
    catalog, ctx = Catalog.installed(in_tree_only=True), BuildContext(sample_rate=RATE)
    spec = catalog.spec(next(entry for entry in catalog.entries if entry.name == name))()
    params = {p.name: torch.tensor(p.defaults).view(1, -1, 1) for p in spec.parameters(ctx)}
    # Controls that move come with two frames in the first block; constants come with one.
    module, audio, state, found = spec.build(ctx), 0.3 * torch.randn(1, 1, 64), None, []
    with torch.inference_mode():
        for _ in range(blocks):
            start = time.perf_counter()
            _, state = module(audio, params, state)
            found.append(time.perf_counter() - start)
    return statistics.median(found)


def report(title: str, found: Mapping[str, float]) -> None:
    """Print one table of times."""
    print(title)
    for name, seconds in found.items():
        print(f"  {name:10} {1000 * seconds:8.2f} ms   {seconds / found['fxkit']:6.2f} x fxkit")


def main() -> None:
    """Print the tables."""
    parser = argparse.ArgumentParser(description=__doc__.splitlines()[0])
    parser.add_argument("--batch", type=int, default=8)
    parser.add_argument("--samples", type=int, default=48000)
    parser.add_argument("--rounds", type=int, default=9)
    arguments = parser.parse_args()
    torch.set_num_threads(1)
    numba.set_num_threads(1)
    torch.manual_seed(0)
    size = (arguments.batch, arguments.samples)
    other_smoothers, other_gains = peers()
    smoothers = {"fxkit": smoothed, "torch": in_torch(smoothed), **other_smoothers}
    gains = {"fxkit": gained, "torch": in_torch(gained), **other_gains}
    report(
        f"smoother, {size[0]} x {size[1]}, forward and backward", times(smoothers, *size, arguments.rounds)
    )
    report(f"gain, {size[0]} x {size[1]}, forward and backward", times(gains, *size, arguments.rounds))
    print("relative error of smoother, and of its gradients to level, attack and release")
    for name, candidate in smoothers.items():
        print(f"  {name:10} " + "  ".join(f"{figure:8.1e}" for figure in errors(candidate)))
    print("block of 64 samples, one channel, no gradients")
    for name in STREAMED:
        seconds = block_time(name)
        print(f"  {name:22} {1e6 * seconds:6.0f} us   {64 / RATE / seconds:5.1f} x real time")


if __name__ == "__main__":
    main()
