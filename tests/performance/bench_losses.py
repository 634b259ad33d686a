"""Time losses, forward and backward, in one process.

    python tests/performance/bench_losses.py [--batch 4] [--samples 65536] [--rounds 7] [--all]

First `multi-resolution-stft` against auraloss and against the same distance through `torch.stft` and
autograd: three resolutions, float32 noise, one thread. "target known" leaves out the target's spectra,
which several losses of one batch share. Rounds alternate, so that a neighbour's load falls on all; the
figure is the median of process CPU time, and the ratio. With --all every loss that compares an output with
a target, as a multiple of `l1`.
"""

from __future__ import annotations

import argparse
import statistics
import time
from collections.abc import Callable
from unittest import mock

import torch
from auraloss.freq import MultiResolutionSTFTLoss

from fxkit.catalog import Catalog
from fxkit.context import BuildContext
from fxkit.testing.suite import examples_of
from fxkit.traits import loss_traits
from fxkit.values import Batch, Output
from fxkit_losses import _spectral_distance
from fxkit_losses.l1 import L1
from fxkit_losses.multi_resolution_stft import MultiResolutionSTFT

Measure = Callable[[torch.Tensor, torch.Tensor], torch.Tensor]


def cpu_seconds(measure: Measure, audio: torch.Tensor, target: torch.Tensor) -> float:
    """Return the CPU time of one forward and backward pass."""
    live = audio.clone().requires_grad_()
    start = time.process_time()
    measure(live, target).backward()
    return time.process_time() - start


def medians(measures: dict[str, Measure], batch: int, samples: int, rounds: int) -> dict[str, float]:
    """Return the median CPU time of each candidate over alternating rounds, after one to warm up."""
    draw = torch.Generator().manual_seed(0)
    audio, target = (0.3 * torch.randn(batch, 1, samples, generator=draw) for _ in range(2))
    times: dict[str, list[float]] = {name: [] for name in measures}
    for _ in range(rounds + 1):
        for name, measure in measures.items():
            times[name].append(cpu_seconds(measure, audio, target))
    return {name: statistics.median(values[1:]) for name, values in times.items()}


def through_autograd() -> Measure:
    """Return the distance by `torch.stft`, the target's magnitudes kept: the fastest form without kernels."""
    parts = [
        (size, hop, torch.hann_window(length)) for size, length, hop in MultiResolutionSTFT().resolutions
    ]
    known: dict[int, list[torch.Tensor]] = {}

    def magnitudes(signal: torch.Tensor) -> list[torch.Tensor]:
        flat = signal.flatten(0, 1)
        spectra = (
            torch.stft(flat, n, hop, len(window), window, return_complex=True) for n, hop, window in parts
        )
        return [(s.real.square() + s.imag.square()).clamp(min=1e-8).sqrt() for s in spectra]

    def measure(audio: torch.Tensor, target: torch.Tensor) -> torch.Tensor:
        expected = known.setdefault(id(target), magnitudes(target) if id(target) not in known else [])
        values = [
            (a - b).norm() / b.norm() + (a.log() - b.log()).abs().mean()
            for a, b in zip(magnitudes(audio), expected, strict=True)
        ]
        return torch.stack(values).mean()

    return measure


def spectral() -> dict[str, Measure]:
    """Return the candidates of the first table."""
    ours = MultiResolutionSTFT().build(BuildContext())
    known: dict[int, Batch] = {}

    def fresh(audio: torch.Tensor, target: torch.Tensor) -> torch.Tensor:
        return ours(Output(audio=audio), Batch(target=target)).mean()

    def shared(audio: torch.Tensor, target: torch.Tensor) -> torch.Tensor:
        return ours(Output(audio=audio), known.setdefault(id(target), Batch(target=target))).mean()

    def uncompiled(audio: torch.Tensor, target: torch.Tensor) -> torch.Tensor:
        with mock.patch.object(_spectral_distance, "plain", return_value=False):
            return shared(audio, target)

    return {
        "auraloss": MultiResolutionSTFTLoss(),
        "torch.stft, target known": through_autograd(),
        "fxkit, no kernels, target known": uncompiled,
        "fxkit": fresh,
        "fxkit, target known": shared,
    }


def every() -> dict[str, Measure]:
    """Return all in-tree losses that compare an output with a target, `l1` first."""
    catalog, ctx = Catalog.installed(in_tree_only=True), BuildContext()
    specs = {entry.name: catalog.spec(entry) for entry in catalog.entries if entry.kind == "losses"}
    found = {name: examples_of(spec, "losses")[0] for name, spec in specs.items()}
    found = {"l1": L1(), **{name: spec for name, spec in sorted(found.items()) if _compares(spec, ctx)}}

    def timed(spec: object) -> Measure:
        loss = spec.build(ctx)
        return lambda audio, target: loss(Output(audio=audio), Batch(target=target, input=target)).mean()

    return {name: timed(spec) for name, spec in found.items()}


def _compares(spec: object, ctx: BuildContext) -> bool:
    declared = loss_traits(spec, ctx)
    return declared.differentiable and not declared.terms and declared.channels in (None, (1,))


def main() -> None:
    """Print the tables."""
    parser = argparse.ArgumentParser(description=__doc__.splitlines()[0])
    parser.add_argument("--batch", type=int, default=4)
    parser.add_argument("--samples", type=int, default=65536)
    parser.add_argument("--rounds", type=int, default=7)
    parser.add_argument("--all", action="store_true", help="every loss, as a multiple of l1")
    arguments = parser.parse_args()
    torch.set_num_threads(1)
    for measures in (spectral(), every() if arguments.all else {}):
        found = medians(measures, arguments.batch, arguments.samples, arguments.rounds)
        first = next(iter(found), None)
        for name, seconds in found.items():
            ahead = first == "auraloss"
            ratio = found[first] / seconds if ahead else seconds / found[first]
            print(f"{name:34} {1000 * seconds:8.1f} ms {ratio:8.2f} x {'as fast' if ahead else first}")


if __name__ == "__main__":
    main()
