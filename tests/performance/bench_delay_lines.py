"""Time delay lines and phase shifters, forward and backward, compiled and by torch operations.

    python tests/performance/bench_delay_lines.py [--rounds 5]

One thread; 8 x 48000 samples of float32 noise; a sweep of 1 to 5 ms at 0.35 Hz with 30 % feedback, and four
stages swept over two octaves. Figures are the best of the rounds, in nanoseconds of CPU time per sample;
gradients are those of audio, delay or frequency, and feedback. `torchaudio` is torchaudio.functional.flanger
and .phaser, forward only, on a tenth of a second: they loop over samples in Python.
"""

from __future__ import annotations

import argparse
import math
import time
from collections.abc import Callable
from unittest import mock

import torch
from torch import Tensor

from fxkit_signal import delay_line as lines
from fxkit_signal import phase_shifter as shifters

RATE, BATCH, SAMPLES = 48000, 8, 48000
Pass = Callable[[], Tensor]


def best(action: Callable[[], object], rounds: int) -> float:
    """Return the shortest time of several runs, after one that pays for compilation."""
    action()
    times = []
    for _ in range(rounds):
        began = time.process_time()
        action()
        times.append(time.process_time() - began)
    return min(times)


def per_sample(forward: Pass, rounds: int, samples: int = BATCH * SAMPLES) -> tuple[float, float]:
    """Return nanoseconds per sample, forward, and forward with backward."""
    with torch.no_grad():
        there = best(forward, rounds)
    return tuple(1e9 * one / samples for one in (there, best(lambda: forward().sum().backward(), rounds)))


def actions() -> dict[str, tuple[object, Pass]]:
    """Return what is timed: name -> the module whose path can be chosen, and one forward pass."""
    swing = torch.sin(2 * math.pi * 0.35 * torch.arange(SAMPLES) / RATE).expand(BATCH, 1, -1)
    audio = torch.randn(BATCH, 1, SAMPLES).requires_grad_()
    delay = (144 + 96 * swing).requires_grad_()
    frequency = (800 * 2**swing).requires_grad_()
    feedback = torch.full((1, 1, 1), 0.3).requires_grad_()

    def line(name: str, loop: Tensor | None) -> Pass:
        return lambda: lines.delay_line(audio, delay, loop, longest=300, interpolation=name)[0]  # type: ignore[arg-type]

    found: dict[str, tuple[object, Pass]] = {}
    for name in ("linear", "cubic", "sinc", "allpass"):
        found[f"{name}, no feedback"] = (lines, line(name, None))
        found[f"{name}, feedback"] = (lines, line(name, feedback))
    found["phase shifter, 4 stages"] = (
        shifters,
        lambda: shifters.phase_shifter(audio, frequency, feedback, stages=4, sample_rate=RATE)[0],
    )
    return found


def peers(rounds: int) -> None:
    """Time torchaudio's forward passes, where it loads."""
    try:
        from torchaudio.functional import flanger, phaser
    except (ImportError, OSError) as error:
        print(f"torchaudio: not timed, {error}")
        return
    short = 0.1 * torch.rand(1, 1, RATE // 10)
    for name, effect in (("flanger", flanger), ("phaser", phaser)):
        action = lambda effect=effect: effect(short, RATE)  # noqa: E731
        print(f"torchaudio {name:<20} {1e9 * best(action, min(rounds, 2)) / short.numel():>10.0f}")


def main() -> None:
    parser = argparse.ArgumentParser(description=__doc__.split("\n")[0])
    parser.add_argument("--rounds", type=int, default=5)
    rounds = parser.parse_args().rounds
    torch.set_num_threads(1)
    torch.manual_seed(0)
    print(f"{'ns per sample':<26} {'compiled':>10} {'+ backward':>11} {'torch':>9} {'+ backward':>11}")
    for name, (module, forward) in actions().items():
        compiled = per_sample(forward, rounds)
        with mock.patch.object(module, "compiled_for", return_value=False):
            plain = per_sample(forward, 1)
        print(f"{name:<26} {compiled[0]:>10.1f} {compiled[1]:>11.1f} {plain[0]:>9.0f} {plain[1]:>11.0f}")
    peers(rounds)


if __name__ == "__main__":
    main()
