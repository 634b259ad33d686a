"""Diagonal linear recurrences s' = p s + d over complex numbers, compiled: the inner loop is over modes.

Real and imaginary parts stand apart, [real | imaginary], so that neighbours in memory do the same
arithmetic. Drives and states may be float32; what is carried from step to step is float64.
"""

from __future__ import annotations

from typing import Any

import numpy as np

from fxkit_signal.compiled.kernel import kernel

# Numbers far below this become zero: arithmetic on denormal numbers is slow.
TINY = 1e-140


@kernel("contract")
def run(values: Any, pole: Any, carried: Any, first: int, stop: int, late: bool) -> None:
    """Replace the drives of rows first to stop by the states after each step, or, if `late`, before it.

    `values` [rows, steps, 2 modes]; `pole` [groups, 2 modes], that of row r is number r % groups; `carried`
    [rows, 2 modes] float64 goes from the start to the end.
    """
    modes = pole.shape[1] // 2
    real, imaginary = np.empty(modes), np.empty(modes)
    p_real, p_imaginary = np.empty(modes), np.empty(modes)
    for row in range(first, stop):
        for k in range(modes):
            real[k], imaginary[k] = carried[row, k], carried[row, modes + k]
            p_real[k], p_imaginary[k] = (
                pole[row % pole.shape[0], k],
                pole[row % pole.shape[0], modes + k],
            )
        for n in range(values.shape[1]):
            step = values[row, n]
            for k in range(modes):
                old_real, old_imaginary = real[k] + TINY - TINY, imaginary[k] + TINY - TINY
                new_real = p_real[k] * old_real - p_imaginary[k] * old_imaginary + step[k]
                new_imaginary = p_real[k] * old_imaginary + p_imaginary[k] * old_real + step[modes + k]
                step[k] = old_real if late else new_real
                step[modes + k] = old_imaginary if late else new_imaginary
                real[k], imaginary[k] = new_real, new_imaginary
        for k in range(modes):
            carried[row, k], carried[row, modes + k] = real[k], imaginary[k]


@kernel("contract")
def run_back(
    values: Any, pole: Any, carried: Any, states: Any, total: Any, first: int, stop: int, late: bool
) -> None:
    """Run backwards in time with the conjugate poles, and add up what the poles receive.

    `states` [rows, steps, 2 modes] are those before each step; `total` [rows, 2 modes] float64.
    """
    modes = pole.shape[1] // 2
    real, imaginary = np.empty(modes), np.empty(modes)
    p_real, p_imaginary = np.empty(modes), np.empty(modes)
    sum_real, sum_imaginary = np.empty(modes), np.empty(modes)
    for row in range(first, stop):
        for k in range(modes):
            real[k], imaginary[k] = carried[row, k], carried[row, modes + k]
            sum_real[k], sum_imaginary[k] = 0.0, 0.0
            p_real[k], p_imaginary[k] = (
                pole[row % pole.shape[0], k],
                pole[row % pole.shape[0], modes + k],
            )
        for n in range(values.shape[1] - 1, -1, -1):
            step, state = values[row, n], states[row, n]
            for k in range(modes):
                old_real, old_imaginary = real[k] + TINY - TINY, imaginary[k] + TINY - TINY
                into_real, into_imaginary = step[k], step[modes + k]
                out_real = old_real if late else old_real + into_real
                out_imaginary = old_imaginary if late else old_imaginary + into_imaginary
                new_real = p_real[k] * out_real + p_imaginary[k] * out_imaginary
                new_imaginary = p_real[k] * out_imaginary - p_imaginary[k] * out_real
                sum_real[k] += out_real * state[k] + out_imaginary * state[modes + k]
                sum_imaginary[k] += out_imaginary * state[k] - out_real * state[modes + k]
                step[k], step[modes + k] = out_real, out_imaginary
                real[k] = new_real + into_real if late else new_real
                imaginary[k] = new_imaginary + into_imaginary if late else new_imaginary
        for k in range(modes):
            carried[row, k], carried[row, modes + k] = real[k], imaginary[k]
            total[row, k], total[row, modes + k] = sum_real[k], sum_imaginary[k]


@kernel("contract", "reassoc", "nsz")
def run_bank(x: Any, y: Any, pole: Any, gain: Any, direct: Any, state: Any) -> None:
    """Run a bank sample by sample: s' = p s + x, y = Re(sum of g s') + d x.

    `x` and `y` [rows, samples]; `pole` and `gain` [groups, 2 modes], `direct` [groups], that of row r being
    number r % groups; `state` [rows, 2 modes] goes from the start to the end. All but x and y are float64.
    """
    modes = pole.shape[1] // 2
    real, imaginary = np.empty(modes), np.empty(modes)
    p_real, p_imaginary = np.empty(modes), np.empty(modes)
    g_real, g_imaginary = np.empty(modes), np.empty(modes)
    for row in range(x.shape[0]):
        group = row % pole.shape[0]
        for k in range(modes):
            real[k], imaginary[k] = state[row, k] + TINY - TINY, state[row, modes + k] + TINY - TINY
            p_real[k], p_imaginary[k] = pole[group, k], pole[group, modes + k]
            g_real[k], g_imaginary[k] = gain[group, k], gain[group, modes + k]
        for n in range(x.shape[1]):
            drive, total = np.float64(x[row, n]), 0.0
            for k in range(modes):
                new = p_real[k] * real[k] - p_imaginary[k] * imaginary[k] + drive
                imaginary[k] = p_real[k] * imaginary[k] + p_imaginary[k] * real[k]
                real[k] = new
                total += g_real[k] * new - g_imaginary[k] * imaginary[k]
            y[row, n] = total + direct[group] * drive
        for k in range(modes):
            state[row, k], state[row, modes + k] = real[k], imaginary[k]
