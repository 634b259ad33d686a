"""Time distances between sets, check them against closed forms, and measure their bias by sample size.

    python tests/performance/bench_set_distance.py [--rounds 9] [--draws 5] [--table]

The first table times the Fréchet distance and the unbiased MMD of sets of float64 vectors, the form with
a matrix root (scipy) beside them, on one thread; rounds alternate, so that a neighbour's load falls on all;
figures are medians of process CPU time. `--table` measures what two samples of one normal distribution are
apart on average (the truth is 0), which docs/howto/set-distances.md shows.
"""

from __future__ import annotations

import argparse
import statistics
import time
from collections.abc import Callable

import numpy as np
import scipy.linalg
import torch

from fxkit_signal.distribution import frechet_distance, mmd

SIZES = ((120, 16), (500, 16), (500, 128), (2000, 128))
DIMS, COUNTS = (8, 16, 32, 64, 128), (60, 120, 500, 1000)


def normal(seed: int, count: int, dims: int) -> torch.Tensor:
    """Draw vectors [count, dims] from the unit normal distribution."""
    return torch.randn(count, dims, generator=torch.Generator().manual_seed(seed), dtype=torch.float64)


def with_root(one: torch.Tensor, other: torch.Tensor) -> float:
    """Return the Fréchet distance by the root of the product of covariances, as common tools do."""
    first, second = np.cov(one.numpy().T), np.cov(other.numpy().T)
    root = scipy.linalg.sqrtm(first @ second)
    apart = float((one.mean(0) - other.mean(0)).square().sum())
    return apart + float(np.trace(first + second - 2 * root.real))


def medians(count: int, dims: int, rounds: int) -> dict[str, float]:
    """Return the median CPU time in ms of each measure over alternating rounds, after one to warm up."""
    one, other = normal(0, count, dims), normal(1, count, dims)
    measures: dict[str, Callable[[torch.Tensor, torch.Tensor], float]] = {
        "frechet": frechet_distance,
        "with root": with_root,
        "mmd": mmd,
    }
    times: dict[str, list[float]] = {name: [] for name in measures}
    for _ in range(rounds + 1):
        for name, measure in measures.items():
            start = time.process_time()
            measure(one, other)
            times[name].append(1000 * (time.process_time() - start))
    return {name: statistics.median(values[1:]) for name, values in times.items()}


def bias_rows(draws: int) -> list[str]:
    """Return the rows of a table: dimensions, then the mean Fréchet distance, then the MMD, by count."""
    rows = []
    for dims in DIMS:
        pairs = {
            count: [(normal(2 * k, count, dims), normal(2 * k + 1, count, dims)) for k in range(draws)]
            for count in COUNTS
        }
        apart = [statistics.mean(frechet_distance(*pair) for pair in pairs[count]) for count in COUNTS]
        means = [[mmd(*pair) for pair in pairs[count]] for count in COUNTS]
        cells = [f"{value:.2f}" for value in apart]
        cells += [f"{statistics.mean(values):.0e} ± {statistics.stdev(values):.0e}" for values in means]
        rows.append(f"| {dims} | " + " | ".join(cells) + " |")
    return rows


def main() -> None:
    """Print the tables."""
    parser = argparse.ArgumentParser(description=__doc__.splitlines()[0])
    parser.add_argument("--rounds", type=int, default=9)
    parser.add_argument("--draws", type=int, default=5)
    parser.add_argument("--table", action="store_true", help="measure the bias by sample size, too")
    arguments = parser.parse_args()
    torch.set_num_threads(1)
    print(f"{'vectors':>12} {'Fréchet':>10} {'with root':>10} {'MMD':>10}  ms of CPU time")
    for count, dims in SIZES:
        found = medians(count, dims, arguments.rounds)
        cells = " ".join(f"{found[name]:10.2f}" for name in ("frechet", "with root", "mmd"))
        print(f"{count:>6} x {dims:<3} {cells}")
    same = [frechet_distance(normal(0, *size), normal(0, *size)) for size in SIZES]
    print(f"identical sets: {max(same):.1e} at most")
    if arguments.table:
        print("\n".join(bias_rows(arguments.draws)))


if __name__ == "__main__":
    main()
