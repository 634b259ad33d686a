"""Time and check the five-band equaliser, forward and backward, against other ways in one process.

    python tests/performance/bench_filters.py [--batch 8] [--samples 48000] [--rounds 9]

Every candidate designs the same five sections from frequency, gain and Q and filters the same float32
noise on one thread. Rounds alternate, so that a neighbour's load falls on all; figures are the median of
process CPU time. Errors are relative to a float64 recursion: of the output, of the gradients of the input
and of the 15 parameters.

- `lfilter`: torchaudio.functional.lfilter five times, without its clipping.
- `sampling`: the response sampled on an FFT grid of twice the length, as effect-modelling libraries train.
- `scipy`: scipy.signal.sosfilt in float64, forward only; the floor.
"""

from __future__ import annotations

import argparse
import statistics
import time
from collections.abc import Callable

import numpy as np
import torch
import torchaudio
from scipy.signal import sosfilt as scipy_sosfilt
from torch import Tensor

from fxkit_signal.biquad import high_shelf, low_shelf, peak, sosfilt

RATE = 48000
BANDS = {
    "mild": ([100.0, 300.0, 1000.0, 3000.0, 8000.0], [5.0, -7.0, 6.0, -9.0, 4.0], [0.7, 1.4, 0.8, 2.5, 0.7]),
    "peak at 40 Hz, Q 10": (
        [100.0, 40.0, 1000.0, 3000.0, 8000.0], [5.0, 12.0, 6.0, -9.0, 4.0], [0.7, 10.0, 0.8, 2.5, 0.7],
    ),
}  # fmt: skip
Filter = Callable[[Tensor, Tensor], Tensor]


def design(bands: Tensor) -> Tensor:
    """Design the sections [1, 5, 6] in float64 from frequency, gain and Q [3, 5]."""
    low, middle, high = bands[:, :1], bands[:, 1:4], bands[:, 4:]
    return torch.cat([low_shelf(*low, RATE), peak(*middle, RATE), high_shelf(*high, RATE)])[None]


def lifted(audio: Tensor, bands: Tensor) -> Tensor:
    """Filter by fxkit."""
    return sosfilt(audio, design(bands))[0]


def recursive(audio: Tensor, bands: Tensor) -> Tensor:
    """Filter by torchaudio, section by section."""
    for section in design(bands)[0].to(audio.dtype):
        audio = torchaudio.functional.lfilter(audio, section[3:], section[:3], clamp=False)
    return audio


def sampled(audio: Tensor, bands: Tensor) -> Tensor:
    """Filter by multiplying spectra with the sampled response."""
    points = 2 ** (2 * audio.shape[-1] - 2).bit_length()
    b, a = (torch.fft.rfft(part, points) for part in design(bands)[0].to(audio.dtype).split(3, dim=-1))
    response = (b / a).prod(0)
    return torch.fft.irfft(torch.fft.rfft(audio, points) * response, points)[..., : audio.shape[-1]]


CANDIDATES: dict[str, Filter] = {"fxkit": lifted, "lfilter": recursive, "sampling": sampled}


def run(candidate: Filter, audio: Tensor, weight: Tensor, bands: Tensor) -> tuple[Tensor, Tensor, Tensor]:
    """Return output and the gradients of the weighted sum of it."""
    audio, bands = audio.clone().requires_grad_(), bands.clone().requires_grad_()
    output = candidate(audio, bands)
    (output * weight).sum().backward()
    assert audio.grad is not None
    assert bands.grad is not None
    return output.detach(), audio.grad, bands.grad


def cpu_seconds(action: Callable[[], object]) -> float:
    """Return the process CPU time of an action."""
    start = time.process_time()
    action()
    return time.process_time() - start


def times(batch: int, samples: int, rounds: int) -> dict[str, float]:
    """Return median CPU seconds over alternating rounds, after one to warm up."""
    audio, weight = torch.randn(2, batch, 1, samples)
    bands = torch.tensor(BANDS["mild"], dtype=torch.float64)
    numbers = audio.double().numpy(), design(bands)[0].numpy()
    actions: dict[str, Callable[[], object]] = {
        name: (lambda candidate=candidate: run(candidate, audio, weight, bands))
        for name, candidate in CANDIDATES.items()
    }
    actions["scipy"] = lambda: scipy_sosfilt(numbers[1], numbers[0])
    found: dict[str, list[float]] = {name: [] for name in actions}
    for _ in range(rounds + 1):
        for name, action in actions.items():
            found[name].append(cpu_seconds(action))
    return {name: statistics.median(values[1:]) for name, values in found.items()}


def reference(audio: Tensor, weight: Tensor, bands: Tensor) -> tuple[Tensor, Tensor, Tensor]:
    """Return what `run` does, by scipy's recursion in float64 and the closed form of the gradients.

    The input's gradient is the weight filtered backwards in time. The output's derivative by b_k of a
    section is the input through all other sections and 1 / A, k samples late; by a_k, minus the output
    through 1 / A, k samples late.
    """
    bands = bands.clone().requires_grad_()
    designed = design(bands)
    sos = designed[0].detach().numpy()
    x, w = audio[:, 0].double().numpy(), weight[:, 0].double().numpy()
    y = scipy_sosfilt(sos, x)
    grad_x = scipy_sosfilt(sos, w[:, ::-1])[:, ::-1]
    grad_sos = np.zeros_like(sos)
    for number, section in enumerate(sos):
        poles = np.array([[1.0, 0.0, 0.0, *section[3:]]])
        drive = scipy_sosfilt(np.concatenate([np.delete(sos, number, 0), poles]), x)
        ring = scipy_sosfilt(poles, y)
        for k in range(3):
            late = slice(None, x.shape[1] - k)
            grad_sos[number, k] = (drive[:, late] * w[:, k:]).sum()
            grad_sos[number, 3 + k] = -(ring[:, late] * w[:, k:]).sum()
    grad_sos[:, 3] = 0
    (grad_bands,) = torch.autograd.grad(designed, bands, torch.from_numpy(grad_sos)[None])
    return torch.from_numpy(y)[:, None], torch.from_numpy(grad_x.copy())[:, None], grad_bands


def errors(candidate: Filter, bands: Tensor) -> list[float]:
    """Return the relative error of output, input gradient and parameter gradient on 2 x 48000 noise."""
    audio, weight = torch.randn(2, 2, 1, 48000)
    exact = reference(audio, weight, bands)
    found = run(candidate, audio, weight, bands)
    return [float((a.double() - b).norm() / b.norm()) for a, b in zip(found, exact, strict=True)]


def main() -> None:
    """Print both tables."""
    parser = argparse.ArgumentParser(description=__doc__.splitlines()[0])
    parser.add_argument("--batch", type=int, default=8)
    parser.add_argument("--samples", type=int, default=48000)
    parser.add_argument("--rounds", type=int, default=9)
    arguments = parser.parse_args()
    torch.set_num_threads(1)
    torch.manual_seed(0)
    found = times(arguments.batch, arguments.samples, arguments.rounds)
    print(f"five bands, {arguments.batch} x {arguments.samples}, forward and backward (scipy: forward)")
    for name, seconds in found.items():
        print(f"  {name:10} {1000 * seconds:8.1f} ms   {seconds / found['fxkit']:6.2f} x fxkit")
    for case, values in BANDS.items():
        print(f"relative error of output, input gradient, parameter gradient: {case}")
        for name, candidate in CANDIDATES.items():
            figures = errors(candidate, torch.tensor(values, dtype=torch.float64))
            print(f"  {name:10} " + "  ".join(f"{figure:8.1e}" for figure in figures))


if __name__ == "__main__":
    main()
