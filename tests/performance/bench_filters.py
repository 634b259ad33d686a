"""Time and check recursive filters, forward and backward, against other ways in one process.

    python tests/performance/bench_filters.py [--rounds 7] [--only static moving accuracy]

One thread; float32 noise; sections given in float64; the gradients of audio and sections are computed.
Rounds alternate, so that a neighbour's load falls on all; figures are the median of process CPU time. Each
runs twice in a round and the second run counts: the first pays for memory that another has given back. What
takes more than a second is measured once. Numba gets one thread as well, because torchlpc's kernels leave
torch with as many threads as numba has. Libraries that are not installed are named with the reason.

- `compiled`, `torch`: fxkit's kernels, and its torch operations.
- `scipy`: scipy.signal.sosfilt in float64, forward only; the floor.
- `lfilter`: torchaudio.functional.lfilter for each section, without its clipping.
- `torchlpc`: torchlpc.sample_wise_lpc for each section, after the zeros.
- `sampling`, `dasp`, `nablafx`: the response sampled on an FFT grid, as effect-modelling libraries train;
  where coefficients move, nablafx filters every 128 samples anew from silence.

Errors are relative to a float64 recursion: of the output, of the gradients of the input and of the sections'
15 parameters.
"""

from __future__ import annotations

import argparse
import os
import statistics
import time
from collections.abc import Callable
from functools import partial
from unittest import mock

import filter_peers as peers
import numpy as np
import torch
from scipy.signal import sosfilt as scipy_sosfilt
from torch import Tensor

from fxkit_signal import dispatch
from fxkit_signal.biquad import high_shelf, low_pass, low_shelf, peak, sosfilt, sosfilt_varying
from fxkit_signal.one_pole import one_pole
from fxkit_signal.svf import svf

RATE, HOP = 48000, 128
BANDS = {
    "mild": ([100.0, 300.0, 1000.0, 3000.0, 8000.0], [5.0, -7.0, 6.0, -9.0, 4.0], [0.7, 1.4, 0.8, 2.5, 0.7]),
    "peak at 40 Hz, Q 10": (
        [100.0, 40.0, 1000.0, 3000.0, 8000.0], [5.0, 12.0, 6.0, -9.0, 4.0], [0.7, 10.0, 0.8, 2.5, 0.7],
    ),
    "low pass 40 Hz, Q 10": ([40.0], [0.0], [10.0]),
}  # fmt: skip
Action = Callable[[], object]


def design(bands: Tensor) -> Tensor:
    """Design the sections [1, bands, 6] in float64 from frequency, gain and Q [3, bands]."""
    if bands.shape[1] == 1:
        return low_pass(bands[0], bands[2], RATE)[None]
    low, middle, high = bands[:, :1], bands[:, 1:4], bands[:, 4:]
    return torch.cat([low_shelf(*low, RATE), peak(*middle, RATE), high_shelf(*high, RATE)])[None]


def gradients(filtering: Callable[..., Tensor], *inputs: Tensor) -> Action:
    """Return what runs a filter and takes the gradients of all inputs."""
    with torch.no_grad():
        weight = torch.randn_like(filtering(*inputs))
    leaves = [tensor.clone().requires_grad_() for tensor in inputs]
    return lambda: torch.autograd.grad(filtering(*leaves), leaves, weight)


def without_compiler(action: Action) -> Action:
    """Return an action that runs on torch operations alone."""

    def run() -> object:
        with mock.patch.object(dispatch, "has_compiler", return_value=False):
            return action()

    return run


def offer(actions: dict[str, Action], name: str, make: Callable[[], Action]) -> None:
    """Add a candidate, or say why it is missing."""
    try:
        actions[name] = make()
    except ImportError as error:
        print(f"  {name:10} left out: {error}")


def cpu_seconds(action: Action) -> float:
    """Return the process CPU time of an action."""
    torch.set_num_threads(1)
    start = time.process_time()
    action()
    return time.process_time() - start


def measure(title: str, actions: dict[str, Action], rounds: int) -> None:
    """Print the median milliseconds of each action, after one run to warm up, and ratios to the first."""
    print(title)
    first = {name: cpu_seconds(action) for name, action in actions.items()}
    found: dict[str, list[float]] = {name: [] for name in actions}
    for turn in range(rounds):
        for name, action in actions.items():
            if first[name] < 1.0:
                cpu_seconds(action)
            if turn == 0 or first[name] < 1.0:
                found[name].append(cpu_seconds(action))
    medians = {name: statistics.median(values) for name, values in found.items()}
    base = medians[next(iter(actions))]
    for name, seconds in medians.items():
        print(f"  {name:12} {1000 * seconds:9.2f} ms {seconds / base:8.2f} x", flush=True)


def time_static(rounds: int) -> None:
    """Time five sections that stand still."""
    sos = design(torch.tensor(BANDS["mild"], dtype=torch.float64))
    for batch, samples in ((8, 48000), (1, 480000)):
        audio = torch.randn(batch, 1, samples)
        numbers = audio.double().numpy(), sos[0].numpy()
        filtering = gradients(lambda x, s: sosfilt(x, s)[0], audio, sos)
        actions: dict[str, Action] = {
            "scipy": lambda numbers=numbers: scipy_sosfilt(numbers[1], numbers[0]),
            "compiled": filtering,
            "torch": without_compiler(filtering),
        }
        for name in ("lfilter", "sampling", "torchlpc", "dasp", "nablafx"):
            offer(actions, name, partial(gradients, getattr(peers, name), audio, sos))
        measure(f"five sections, {batch} x {samples} (scipy: forward only)", actions, rounds)


def time_moving(rounds: int) -> None:
    """Time sections whose coefficients move, and the other filters, on 8 x 48000."""
    audio = torch.randn(8, 1, 48000)
    sections = design(torch.tensor(BANDS["mild"], dtype=torch.float64))
    for bands in (1, 5):
        frames = sections[:, None, :bands].repeat(8, 48000 // HOP + 1, 1, 1)
        filtering = gradients(lambda x, s: sosfilt_varying(x, s, hop=HOP)[0], audio, frames)
        actions: dict[str, Action] = {"compiled": filtering, "torch": without_compiler(filtering)}
        controls = torch.rand(8, 3 * bands, 48000)
        offer(actions, "nablafx", lambda b=bands, c=controls: gradients(peers.nablafx_moving(audio, b), c))
        measure(f"{bands} section(s) moving per frame of {HOP}", actions, rounds)
    track = sections[:, None, :1].repeat(8, 48000, 1, 1)
    filtering = gradients(lambda x, s: sosfilt_varying(x, s)[0], audio, track)
    actions = {"compiled": filtering, "torch": without_compiler(filtering)}
    offer(actions, "torchlpc", lambda: gradients(peers.torchlpc, audio, track))
    measure("1 section moving per sample", actions, rounds)
    controls = 0.1 + torch.rand(2, 8, 1, 48000, dtype=torch.float64)
    filtering = gradients(lambda x, g, r: torch.cat(svf(x, g, r)[0]), audio, *controls)
    measure(
        "state-variable filter moving per sample",
        {"compiled": filtering, "torch": without_compiler(filtering)}, rounds,
    )  # fmt: skip
    filtering = gradients(lambda x, a: one_pole(x, a)[0], audio, controls[0] / 2)
    measure(
        "one-pole moving per sample",
        {"compiled": filtering, "torch": without_compiler(filtering)}, rounds,
    )  # fmt: skip


def time_blocks(rounds: int) -> None:
    """Print the microseconds of a streaming call on a block of 64 samples, mono, five sections."""
    sos, block = design(torch.tensor(BANDS["mild"], dtype=torch.float64)), torch.randn(1, 1, 64)
    _, state = sosfilt(block, sos)

    def run() -> None:
        for _ in range(1000):
            sosfilt(block, sos, state)

    seconds = statistics.median(cpu_seconds(run) for _ in range(rounds))
    print(f"five sections, a block of 64 samples: {1000 * seconds:.0f} us")


def reference(audio: Tensor, weight: Tensor, bands: Tensor) -> tuple[Tensor, Tensor, Tensor]:
    """Return output and gradients by scipy's recursion in float64 and the closed form of the gradients.

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


def run(
    filtering: Callable[[Tensor, Tensor], Tensor], audio: Tensor, weight: Tensor, bands: Tensor
) -> list[Tensor]:
    """Return output and the gradients of audio and of the parameters."""
    audio, bands = audio.clone().requires_grad_(), bands.clone().requires_grad_()
    output = filtering(audio, design(bands))
    return [output.detach(), *torch.autograd.grad(output, (audio, bands), weight)]


def check_accuracy(rounds: int) -> None:
    """Print relative errors on 2 x 48000 noise."""
    for case, values in BANDS.items():
        bands = torch.tensor(values, dtype=torch.float64)
        audio, weight = torch.randn(2, 2, 1, 48000)
        exact = reference(audio, weight, bands)
        print(f"relative error of output, input gradient, parameter gradient: {case}")

        def figures(name: str, found: list[Tensor], exact: tuple[Tensor, ...] = exact) -> None:
            errors = [float((a.double() - b).norm() / b.norm()) for a, b in zip(found, exact, strict=True)]
            print(f"  {name:10} " + "  ".join(f"{error:8.1e}" for error in errors))

        figures("compiled", run(lambda x, s: sosfilt(x, s)[0], audio, weight, bands))
        with mock.patch.object(dispatch, "has_compiler", return_value=False):
            figures("torch", run(lambda x, s: sosfilt(x, s)[0], audio, weight, bands))
        for name in ("lfilter", "sampling", "torchlpc", "dasp", "nablafx"):
            try:
                figures(name, run(getattr(peers, name), audio, weight, bands))
            except ImportError as error:
                print(f"  {name:10} left out: {error}")


PARTS: dict[str, Callable[[int], None]] = {
    "static": time_static, "moving": time_moving, "blocks": time_blocks, "accuracy": check_accuracy,
}  # fmt: skip


def main() -> None:
    """Print the tables."""
    os.environ["NUMBA_NUM_THREADS"] = "1"
    parser = argparse.ArgumentParser(description=__doc__.splitlines()[0])
    parser.add_argument("--rounds", type=int, default=7)
    parser.add_argument("--only", nargs="*", choices=PARTS, default=list(PARTS))
    arguments = parser.parse_args()
    torch.set_num_threads(1)
    torch.manual_seed(0)
    for part in arguments.only:
        PARTS[part](arguments.rounds)


if __name__ == "__main__":
    main()
