"""Time, weigh and check the harmonic oscillator bank against the usual one in one process.

    python tests/performance/bench_harmonic.py [--batch 4] [--seconds 4] [--partials 100] [--rounds 5]

Both render the same frames (250 a second, 48 kHz) and take gradients of f0 and of all amplitudes, on one
thread. `usual` repeats the frames, sums the phase in float32 and makes a sine per sample and partial. The
figure is the median of process CPU time over alternating rounds; memory is what the process grew by at its
highest, each candidate in a process of its own; the error is the largest against a float64 sum, relative
to the largest sample, of the same frames held.
"""

from __future__ import annotations

import argparse
import multiprocessing
import resource
import statistics
import time
from collections.abc import Callable

import torch
from torch import Tensor

from fxkit_signal.framing import frames_due
from fxkit_signal.oscillators import harmonic_bank

RATE, HOP = 48000, 192
Bank = Callable[[Tensor, Tensor, int], Tensor]


def exact(f0: Tensor, amplitudes: Tensor, samples: int) -> Tensor:
    """Render by fxkit."""
    return harmonic_bank(f0, amplitudes, samples, HOP, RATE)[0][:, 0]


def usual(f0: Tensor, amplitudes: Tensor, samples: int) -> Tensor:
    """Render a sine per sample and partial, phases summed in float32."""
    pitch, levels = (frames.repeat_interleave(HOP, -1)[..., :samples] for frames in (f0, amplitudes))
    phase = (2 * torch.pi * pitch[:, 0] / RATE).cumsum(-1)
    numbers = torch.arange(1, levels.shape[1] + 1, dtype=phase.dtype)
    return ((phase[..., None] * numbers).sin() * levels.mT).sum(-1)


BANKS: dict[str, Bank] = {"fxkit": exact, "usual": usual}


def frames(batch: int, samples: int, partials: int) -> tuple[Tensor, Tensor]:
    """Return frames of a wandering pitch whose partials all lie below half the rate."""
    count = frames_due(0, samples, HOP)
    draw = torch.Generator().manual_seed(0)
    highest = 0.94 * RATE / 2 / partials
    return highest * (0.8 + 0.2 * torch.rand(batch, 1, count, generator=draw)), torch.rand(
        batch, partials, count, generator=draw
    )


def work(bank: Bank, f0: Tensor, amplitudes: Tensor, samples: int) -> None:
    """Render once, forward and backward."""
    f0, amplitudes = f0.clone().requires_grad_(), amplitudes.clone().requires_grad_()
    bank(f0, amplitudes, samples).square().sum().backward()


def growth(name: str, batch: int, samples: int, partials: int) -> float:
    """Return the MiB by which one pass raises the highest memory use of this process."""
    torch.set_num_threads(1)
    work(BANKS[name], *frames(1, 2000, partials), 2000)
    inputs = frames(batch, samples, partials)
    before = resource.getrusage(resource.RUSAGE_SELF).ru_maxrss
    work(BANKS[name], *inputs, samples)
    return (resource.getrusage(resource.RUSAGE_SELF).ru_maxrss - before) / 1024


def error(name: str, samples: int, partials: int) -> float:
    """Return the largest error on a held pitch in the last half second."""
    f0, amplitudes = (
        value[..., :1].repeat(1, 1, frames_due(0, samples, HOP)) for value in frames(1, 1, partials)
    )
    tail = torch.arange(samples - RATE // 2, samples, dtype=torch.float64)
    cycles = tail * f0[0, 0, 0].double() / RATE
    numbers = torch.arange(1, partials + 1, dtype=torch.float64)
    waves = (2 * torch.pi * ((cycles[:, None] * numbers) % 1)).sin()
    expected = waves @ amplitudes[0, :, 0].double()
    found = BANKS[name](f0, amplitudes, samples)[0]
    shift = 1 if name == "usual" else 0  # its phase starts one step in
    late = found[samples - RATE // 2 - shift : samples - shift].double()
    return float((late - expected).abs().max() / expected.abs().max())


def medians(batch: int, samples: int, partials: int, rounds: int) -> dict[str, float]:
    """Return median CPU seconds over alternating rounds, after one to warm up."""
    inputs = frames(batch, samples, partials)
    found: dict[str, list[float]] = {name: [] for name in BANKS}
    for _ in range(rounds + 1):
        for name, bank in BANKS.items():
            start = time.process_time()
            work(bank, *inputs, samples)
            found[name].append(time.process_time() - start)
    return {name: statistics.median(values[1:]) for name, values in found.items()}


def main() -> None:
    """Print the table."""
    parser = argparse.ArgumentParser(description=__doc__.splitlines()[0])
    parser.add_argument("--batch", type=int, default=4)
    parser.add_argument("--seconds", type=float, default=4.0)
    parser.add_argument("--partials", type=int, default=100)
    parser.add_argument("--rounds", type=int, default=5)
    arguments = parser.parse_args()
    samples = int(arguments.seconds * RATE)
    with multiprocessing.get_context("spawn").Pool(1, maxtasksperchild=1) as pool:
        size = arguments.batch, samples, arguments.partials
        memory = {name: pool.apply(growth, (name, *size)) for name in BANKS}
    torch.set_num_threads(1)
    found = medians(*size, arguments.rounds)
    print(f"{size[0]} x {size[1]} samples, {size[2]} partials, forward and backward")
    for name, seconds in found.items():
        wrong = error(name, samples, arguments.partials)
        print(f"  {name:6} {1000 * seconds:8.0f} ms {memory[name]:8.0f} MiB   error {wrong:.1e}")
    print(f"usual / fxkit = {found['usual'] / found['fxkit']:.2f}")


if __name__ == "__main__":
    main()
