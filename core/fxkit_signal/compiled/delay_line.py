"""The compiled delay line and its adjoint; one row at a time, all in float64.

The equations stand in `fxkit_signal.delay_line`. Both functions write into arrays that are given.
"""

from __future__ import annotations

from typing import Any

import numpy as np

from fxkit_signal.compiled.kernel import kernel

Array = np.ndarray[Any, np.dtype[np.float64]]


@kernel("reassoc", "contract", "nsz")
def _at(powers: Array, part: float) -> float:
    """Return a cubic at a place."""
    return powers[0] + part * (powers[1] + part * (powers[2] + part * powers[3]))  # type: ignore[no-any-return]


@kernel("reassoc", "contract", "nsz")
def _slope(powers: Array, part: float) -> float:
    """Return a cubic's slope at a place."""
    return powers[1] + part * (2 * powers[2] + part * 3 * powers[3])  # type: ignore[no-any-return]


@kernel("reassoc", "contract", "nsz")
def run_line(
    delay: Array, feedback: Array, damping: Array, weights: Array, pole: Array, reach: int, shift: float,
    line: Array, read: Array, loop: Array,
) -> None:  # fmt: skip
    """Fill `line` [rows, past + samples], `read` and `loop` [rows, 1 + samples].

    `line` enters with the past and then the audio; column 0 of `read` and `loop` is their state.
    """
    rows, samples = delay.shape
    past, taps, steps = line.shape[1] - samples, weights.shape[2], weights.shape[0]
    for row in range(rows):
        for n in range(samples):
            whole = np.floor(delay[row, n] - shift)
            place = (delay[row, n] - shift - whole) * steps
            step = min(int(place), steps - 1)
            part = place - step
            first = past + n - int(whole) + reach - taps + 1
            total = 0.0
            for tap in range(taps):
                upper = weights[step, 2, tap] + part * weights[step, 3, tap]
                weight = weights[step, 0, tap] + part * (weights[step, 1, tap] + part * upper)
                total += weight * line[row, first + tap]
            total -= _at(pole[step], part) * read[row, n]
            read[row, n + 1] = total
            loop[row, n + 1] = total + damping[row, n] * (loop[row, n] - total)
            line[row, past + n] += feedback[row, n] * loop[row, n + 1]


@kernel("reassoc", "contract", "nsz")
def run_line_adjoint(
    delay: Array, feedback: Array, damping: Array, weights: Array, pole: Array, reach: int, shift: float,
    line: Array, read: Array, loop: Array,
    to_line: Array, to_read: Array, to_loop: Array, to_delay: Array, to_feedback: Array, to_damping: Array,
) -> None:  # fmt: skip
    """Turn the gradients of what `run_line` filled into those of what it was given.

    `to_line`, `to_read` and `to_loop` enter as gradients of the results; the audio's and the past's come
    out in `to_line`, those of the states in column 0 of the others.
    """
    rows, samples = delay.shape
    past, taps, steps = line.shape[1] - samples, weights.shape[2], weights.shape[0]
    for row in range(rows):
        for n in range(samples - 1, -1, -1):
            entering = to_line[row, past + n]
            to_feedback[row, n] = entering * loop[row, n + 1]
            around = to_loop[row, n + 1] + entering * feedback[row, n]
            to_damping[row, n] = around * (loop[row, n] - read[row, n + 1])
            to_loop[row, n] += around * damping[row, n]
            reading = to_read[row, n + 1] + around * (1 - damping[row, n])
            whole = np.floor(delay[row, n] - shift)
            place = (delay[row, n] - shift - whole) * steps
            step = min(int(place), steps - 1)
            part = place - step
            first = past + n - int(whole) + reach - taps + 1
            slope = 0.0
            for tap in range(taps):
                third = part * weights[step, 3, tap]
                upper = weights[step, 2, tap] + third
                middle = weights[step, 1, tap] + part * upper
                slope += (middle + part * (upper + third)) * line[row, first + tap]
                to_line[row, first + tap] += reading * (weights[step, 0, tap] + part * middle)
            slope -= _slope(pole[step], part) * read[row, n]
            to_delay[row, n] = reading * steps * slope
            to_read[row, n] -= reading * _at(pole[step], part)
