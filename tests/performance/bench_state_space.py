"""Time and weigh the networks of state-space layers beside nablafx's S4, in one process.

    python tests/performance/bench_state_space.py [--samples 65536] [--batch 4] [--rounds 3] [--only s l]

One thread; forward and backward of the whole model, with the gradients of all weights. Rounds alternate, so
that a neighbour's load falls on all; figures are the median of process CPU time after one round to warm up.
Memory is what the process grows by at its highest during one pass, each candidate in a process of its own;
the row "bank" is one bank of filters alone, 16 channels and 32 pairs of poles, against the kernel and the
Fourier transforms of the other. Streams are of one channel, without gradients; their figure is how many
times faster than real time at 48 kHz. `error` is the largest difference from the recurrence run sample by
sample in float64, relative to the largest sample.

nablafx 1.0 has to be installed for its rows; they are left out with the reason otherwise.
"""

from __future__ import annotations

import argparse
import multiprocessing
import statistics
import time
from collections.abc import Callable
from pathlib import Path
from typing import Any, cast

import filter_peers as peers
import numpy as np
import torch
from torch import Tensor

from fxkit.context import BuildContext
from fxkit_neural._s4 import Bank
from fxkit_neural.lru import LRU
from fxkit_neural.s4 import S4

RATE = 48000
SIZES = {"s": (4, 4), "l": (8, 32)}
BLOCKS = (64, 512, 2048)


def ours(size: str) -> torch.nn.Module:
    """Build fxkit's S4."""
    return cast("torch.nn.Module", S4(**S4.presets()[size]).build(BuildContext()))


def lru(size: str) -> torch.nn.Module:
    """Build fxkit's LRU of about as many weights."""
    options = LRU.presets()[{"s": "small", "l": "large"}[size]]
    return cast("torch.nn.Module", LRU(**options).build(BuildContext()))


def theirs(size: str) -> torch.nn.Module:
    """Build nablafx's S4 with the options of its published configurations."""
    peers.nablafx_processors()
    blocks, modes = SIZES[size]
    built: torch.nn.Module = peers.load("nablafx.processors.s4").S4(
        num_blocks=blocks, channel_width=16, s4_state_dim=modes, residual=True, s4_learning_rate=0.01
    )
    return built


def own_bank(size: str) -> torch.nn.Module:
    """Build one bank of fxkit."""
    return Bank(16, SIZES[size][1])


def peer_bank(size: str) -> torch.nn.Module:
    """Build one bank of nablafx."""
    peers.nablafx_processors()
    built: torch.nn.Module = peers.load("nablafx.processors.blocks").DSSM(16, SIZES[size][1])
    return built


MODELS: dict[str, Callable[[str], torch.nn.Module]] = {"s4": ours, "lru": lru, "nablafx": theirs}
BANKS: dict[str, Callable[[str], torch.nn.Module]] = {"s4": own_bank, "nablafx": peer_bank}


def call(module: torch.nn.Module, name: str, audio: Tensor) -> Tensor:
    """Run a module in its own way."""
    if isinstance(module, Bank):
        state = torch.zeros(*audio.shape[:2], 2 * module.gain.shape[1], dtype=torch.float64)
        return cast("Tensor", module(audio, state)[0])
    return cast("Tensor", module(audio) if name == "nablafx" else module(audio, {})[0])


def work(module: torch.nn.Module, name: str, audio: Tensor) -> tuple[float, float]:
    """Run once forward and backward; return the CPU seconds of each."""
    module.zero_grad()
    start = time.process_time()
    output = call(module, name, audio)
    between = time.process_time()
    output.square().mean().backward()
    return between - start, time.process_time() - between


def growth(name: str, size: str, batch: int, samples: int, alone: bool) -> float:
    """Return the MiB by which one pass raises the highest memory use of this process."""
    torch.set_num_threads(1)
    make, channels = (BANKS if alone else MODELS)[name], 16 if alone else 1
    module = make(size)
    work(module, name, 0.1 * torch.randn(1, channels, 2000))
    audio = 0.1 * torch.randn(batch, channels, samples, requires_grad=alone)
    before = highest()
    work(module, name, audio)
    return (highest() - before) / 1024


def highest() -> int:
    """Return the highest memory use of this process so far, in KiB; `getrusage` counts the parent's too."""
    lines = Path("/proc/self/status").read_text().splitlines()
    return next(int(line.split()[1]) for line in lines if line.startswith("VmHWM"))


def weigh(*what: Any) -> float:
    """Run `growth` in a process of its own."""
    with multiprocessing.get_context("spawn").Pool(1, maxtasksperchild=1) as pool:
        return pool.apply(growth, what)


def available() -> list[str]:
    """Return the candidates that can be built, and say why one cannot."""
    found = []
    for name, make in MODELS.items():
        try:
            make("s")
        except ImportError as error:
            print(f"{name} left out: {error}")
        else:
            found.append(name)
    return found


def time_models(names: list[str], size: str, batch: int, samples: int, rounds: int) -> None:
    """Print time and memory of whole models, and ratios to nablafx."""
    audio = 0.1 * torch.randn(batch, 1, samples)
    modules = {name: MODELS[name](size) for name in names}
    found: dict[str, list[tuple[float, float]]] = {name: [] for name in names}
    for _ in range(rounds + 1):
        for name, module in modules.items():
            found[name].append(work(module, name, audio))
    print(f"size {size}, {batch} x {samples}, forward and backward of the whole model")
    medians = {}
    for name, module in modules.items():
        forward, backward = (statistics.median(part) for part in zip(*found[name][1:], strict=True))
        medians[name] = forward + backward
        count, memory = sum(w.numel() for w in module.parameters()), weigh(name, size, batch, samples, False)
        figures = f"{1000 * forward:7.0f} + {1000 * backward:6.0f} ms {memory:7.0f} MiB"
        print(f"  {name:8} {count:6} weights {figures}", flush=True)
    if "nablafx" in medians:
        ratios = (f"{name} = {medians['nablafx'] / medians[name]:.1f}" for name in names[:-1])
        print("  nablafx / " + ", / ".join(ratios))


def weigh_banks(names: list[str], samples: int = 144000) -> None:
    """Print the memory of one bank alone."""
    print(f"one bank, 1 x 16 x {samples}, 32 pairs of poles, forward and backward")
    for name in (name for name in names if name in BANKS):
        print(f"  {name:8} {weigh(name, 'l', 1, samples, True):7.0f} MiB", flush=True)


def check_bank(samples: int = 144000) -> None:
    """Print the error of one bank."""
    torch.manual_seed(0)
    bank, audio = Bank(4, 8), torch.randn(1, 4, samples)
    with torch.no_grad():
        found = bank(audio, torch.zeros(1, 4, 16, dtype=torch.float64))[0][0]
        pole = -bank.log_decay.double().exp() + 1j * bank.frequency.double()
        steps = torch.exp(pole * bank.log_dt.double().exp()[:, None])
        gain = (2 * torch.view_as_complex(bank.gain.double()) * (steps - 1) / pole).numpy()
    poles, sound, outputs = steps.numpy(), audio[0].double().numpy(), []
    state = np.zeros_like(poles)
    for n in range(samples):
        state = poles * state + sound[:, n, None]
        outputs.append((gain * state).real.sum(-1))
    exact = np.stack(outputs, -1) + bank.direct.detach().double().numpy()[:, None] * sound
    wrong = np.abs(found.double().numpy() - exact).max() / np.abs(exact).max()
    print(f"one bank, {samples} samples: error {wrong:.1e}")


@torch.no_grad()
def stream(size: str, rounds: int) -> None:
    """Print how much faster than real time streams run."""
    print(f"size {size}, stream of one channel, times real time")
    for name in ("s4", "lru"):
        module, figures = MODELS[name](size), []
        for length in BLOCKS:
            block, state, taken = torch.randn(1, 1, length), None, []
            for _ in range(rounds + 1):
                start = time.process_time()
                for _ in range(50):
                    _, state = module(block, {}, state)
                taken.append((time.process_time() - start) / 50)
            figures.append(f"{length}: {length / RATE / statistics.median(taken[1:]):6.1f}")
        print(f"  {name:8} blocks of " + ", ".join(figures), flush=True)


def main() -> None:
    """Print the tables."""
    parser = argparse.ArgumentParser(description=__doc__.splitlines()[0])
    parser.add_argument("--batch", type=int, default=4)
    parser.add_argument("--samples", type=int, default=65536)
    parser.add_argument("--rounds", type=int, default=3)
    parser.add_argument("--only", nargs="*", choices=SIZES, default=list(SIZES))
    arguments = parser.parse_args()
    torch.set_num_threads(1)
    torch.manual_seed(0)
    names = available()
    check_bank()
    weigh_banks(names)
    for size in arguments.only:
        time_models(names, size, arguments.batch, arguments.samples, arguments.rounds)
        stream(size, arguments.rounds)


if __name__ == "__main__":
    main()
