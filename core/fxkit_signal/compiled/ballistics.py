"""The attack and release smoother and its adjoint, in float64, row by row."""

from __future__ import annotations

from numba import njit
from numpy import empty, float64, zeros
from numpy.typing import NDArray

Array = NDArray[float64]


@njit(cache=True, nogil=True, error_model="numpy")
def smooth(level: Array, attack: Array, release: Array, start: Array) -> Array:
    """Smooth `level` [rows, samples] by coefficients [rows, 1 or samples], from `start` [rows]."""
    rows, samples = level.shape
    step = 1 if attack.shape[1] > 1 else 0
    out = empty((rows, samples))
    for row in range(rows):
        last = start[row]
        for n in range(samples):
            x = level[row, n]
            c = attack[row, n * step] if x > last else release[row, n * step]
            last = x + c * (last - x)
            out[row, n] = last
    return out


@njit(cache=True, nogil=True, error_model="numpy")
def smooth_adjoint(
    grad: Array, level: Array, attack: Array, release: Array, start: Array, out: Array
) -> tuple[Array, Array, Array, Array]:
    """Return the gradients to level, attack, release and start, given that to `out`."""
    rows, samples = level.shape
    step = 1 if attack.shape[1] > 1 else 0
    to_level, to_start = empty((rows, samples)), empty(rows)
    to_attack, to_release = zeros(attack.shape), zeros(attack.shape)
    for row in range(rows):
        carried = 0.0
        for n in range(samples - 1, -1, -1):
            gap = (out[row, n - 1] if n else start[row]) - level[row, n]
            rises = gap < 0.0
            c = attack[row, n * step] if rises else release[row, n * step]
            total = grad[row, n] + carried
            carried = c * total
            to_level[row, n] = total - carried
            to_attack[row, n * step] += total * gap if rises else 0.0
            to_release[row, n * step] += 0.0 if rises else total * gap
        to_start[row] = carried
    return to_level, to_attack, to_release, to_start
