"""Time recurrent layers against those of torch: training passes with their memory, and streams.

    python tests/performance/bench_recurrent.py [--rounds 3] [--samples 8192]

One thread; one input channel of float32 noise. A training pass is forward and backward of the layer, from its
output to the gradients of all weights. Both sides take turns in one process; times are the best CPU time of
the rounds, ratios torch.nn / fxkit. Memory is the growth of the process's peak during one pass, on Linux.
Streams are the whole `lstm` and `gru` processors in inference mode, against the same network of torch.nn
modules, in multiples of real time at 48 kHz.
"""

from __future__ import annotations

import argparse
import contextlib
import ctypes
import time
from collections.abc import Callable
from pathlib import Path

import torch

from fxkit.context import BuildContext
from fxkit_neural.gru import GRU
from fxkit_neural.lstm import LSTM
from fxkit_signal import recurrent

RATE = 48000
LAYERS = {"lstm": (torch.nn.LSTM, recurrent.lstm_layer), "gru": (torch.nn.GRU, recurrent.gru_layer)}
PROCESSORS = {"lstm": LSTM, "gru": GRU}
# Layer, units, batch, samples: what published recipes train on.
RECIPES = (
    ("lstm", 32, 4, 65536),
    ("lstm", 96, 4, 65536),
    ("lstm", 32, 16, 4800),
    ("lstm", 96, 16, 4800),
    ("gru", 32, 4, 16384),
    ("gru", 32, 16, 4800),
)
Action = Callable[[], object]


def best(actions: tuple[Action, Action], rounds: int) -> tuple[float, float]:
    """Return the shortest CPU time of each of two actions, which take turns."""
    times: tuple[list[float], list[float]] = ([], [])
    for action in actions:
        action()
    for _ in range(rounds):
        for action, found in zip(actions, times, strict=True):
            began = time.process_time()
            action()
            found.append(time.process_time() - began)
    return min(times[0]), min(times[1])


def growth(action: Action) -> float:
    """Return by how many MB the process grows at most while an action runs; NaN where that is not told."""
    status, reset = Path("/proc/self/status"), Path("/proc/self/clear_refs")
    if not reset.exists():
        return float("nan")

    def told(name: str) -> float:
        line = next(line for line in status.read_text().splitlines() if line.startswith(name))
        return float(line.split()[1]) / 1024

    with contextlib.suppress(OSError, AttributeError):
        # What earlier passes left to the heap would hide what this one needs.
        ctypes.CDLL(None).malloc_trim(0)
    reset.write_text("5")
    before = told("VmRSS")
    action()
    return told("VmHWM") - before


def training(kind: str, hidden: int, batch: int, samples: int) -> tuple[Action, Action]:
    """Return one pass there and back, by fxkit and by torch."""
    network, layer = LAYERS[kind]
    module = network(1, hidden, batch_first=True)
    signal, weights = torch.randn(batch, samples, 1), [*module.parameters()]
    gradient = torch.randn(batch, samples, hidden)

    def ours() -> None:
        torch.autograd.grad(layer(signal, weights)[0], weights, gradient)

    def theirs() -> None:
        torch.autograd.grad(module(signal)[0], weights, gradient)

    return ours, theirs


def report(kind: str, hidden: int, batch: int, samples: int, rounds: int) -> None:
    """Print one line about training passes."""
    ours, theirs = actions = training(kind, hidden, batch, samples)
    times, memory = best(actions, rounds), (growth(ours), growth(theirs))
    print(
        f"{kind:<5} {hidden:>5} {batch:>6} x {samples:<6} {1e3 * times[0]:>8.0f} {1e3 * times[1]:>9.0f}"
        f" {times[1] / times[0]:>7.2f} {memory[0]:>9.0f} {memory[1]:>9.0f}",
        flush=True,
    )


def stream(kind: str, hidden: int, block: int, rounds: int) -> None:
    """Print how many times faster than real time blocks pass."""
    module = PROCESSORS[kind](hidden=hidden).build(BuildContext())
    network, head = module.recurrent, module.head
    audio, blocks = torch.randn(1, 1, block), 8192 // block

    def ours() -> None:
        state = None
        for _ in range(blocks):
            _, state = module(audio, {}, state)

    def theirs() -> None:
        state = None
        for _ in range(blocks):
            outputs, state = network(audio.transpose(1, 2), state)
            _ = audio + head(outputs).transpose(1, 2)

    with torch.inference_mode():
        times = best((ours, theirs), rounds)
    real = blocks * block / RATE
    print(f"{kind:<5} {hidden:>5} {block:>6} {real / times[0]:>9.1f} x {real / times[1]:>9.1f} x", flush=True)


def main() -> None:
    parser = argparse.ArgumentParser(description=__doc__.split("\n")[0])
    parser.add_argument("--rounds", type=int, default=3)
    parser.add_argument("--samples", type=int, default=8192)
    parser.add_argument("--kinds", nargs="+", default=list(LAYERS), choices=list(LAYERS))
    options = parser.parse_args()
    torch.set_num_threads(1)
    torch.manual_seed(0)
    print("layer units  batch x samples     fxkit  torch.nn   ratio   MB fxkit  MB torch.nn   (ms of CPU)")
    for recipe in (recipe for recipe in RECIPES if recipe[0] in options.kinds):
        report(*recipe, options.rounds)
    for kind in options.kinds:
        for hidden in (16, 24, 32, 64, 96):
            for batch in (1, 4, 16):
                report(kind, hidden, batch, options.samples, options.rounds)
    print("\nlayer units  block       fxkit    torch.nn   (times real time)")
    for kind in options.kinds:
        for hidden in (16, 32, 96):
            for block in (64, 128, 512):
                stream(kind, hidden, block, options.rounds)


if __name__ == "__main__":
    main()
