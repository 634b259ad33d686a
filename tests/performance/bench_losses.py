"""Time `multi-resolution-stft` against auraloss, forward and backward, in one process.

    python tests/performance/bench_losses.py [--batch 4] [--samples 65536] [--rounds 7]

Both compute the same three resolutions on the same float32 noise on one thread. Rounds alternate, so
that a neighbour's load falls on both; the figure is the median of process CPU time, and the ratio.
"""

from __future__ import annotations

import argparse
import statistics
import time
from collections.abc import Callable

import torch
from auraloss.freq import MultiResolutionSTFTLoss

from fxkit.context import BuildContext
from fxkit.values import Batch, Output
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


def main() -> None:
    """Print the table."""
    parser = argparse.ArgumentParser(description=__doc__.splitlines()[0])
    parser.add_argument("--batch", type=int, default=4)
    parser.add_argument("--samples", type=int, default=65536)
    parser.add_argument("--rounds", type=int, default=7)
    arguments = parser.parse_args()
    torch.set_num_threads(1)
    ours, theirs = MultiResolutionSTFT().build(BuildContext()), MultiResolutionSTFTLoss()
    measures: dict[str, Measure] = {
        "fxkit": lambda audio, target: ours(Output(audio=audio), Batch(target=target)).mean(),
        "auraloss": theirs,
    }
    found = medians(measures, arguments.batch, arguments.samples, arguments.rounds)
    for name, seconds in found.items():
        print(f"{name:10} {1000 * seconds:8.1f} ms  forward and backward")
    print(f"auraloss / fxkit = {found['auraloss'] / found['fxkit']:.2f}")


if __name__ == "__main__":
    main()
