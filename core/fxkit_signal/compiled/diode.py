"""The compiled solver of a capacitor between diodes, and its adjoint, in float64, row by row.

At every sample the voltage v solves g v + I (e^(v / a) - e^(-v / b)) = p with p = current + history;
afterwards history = k v - flip history. The columns of `constants` [rows, 4] are k, I, a and b.
"""

from __future__ import annotations

from math import exp, log1p

from numba import njit
from numpy import empty, float64, zeros
from numpy.typing import NDArray

Array = NDArray[float64]
# Ten steps are enough for any circuit within nine decades; the rest is for safety.
STEPS = 32
# A step d leaves an error below d^2 / (2 a), as the equation bends no faster than e^(v / a): 5e-15 a.
LAST_STEP = 1e-7


@njit(cache=True, nogil=True, error_model="numpy")
def root(p: float, g: float, saturation: float, ahead: float, back: float) -> float:
    """Return v >= 0 for p >= 0 by Newton's method.

    It starts where the resistor alone or the diode alone would take the whole current, whichever is less:
    beyond the root of a function that bends away, so that the steps close in from one side.
    """
    v = p / g
    if v > ahead:
        v = min(v, ahead * log1p(p / saturation))
    last = LAST_STEP * min(ahead, back)
    for _ in range(STEPS):
        rise = exp(v / ahead)
        fall = 1 / rise if ahead == back else exp(-v / back)
        up, down = saturation * rise, saturation * fall
        step = (g * v + up - down - p) / (g + up / ahead + down / back)
        v = max(v - step, 0.0)
        if abs(step) <= last:
            break
    return v


@njit(cache=True, nogil=True, error_model="numpy")
def solve(current: Array, g: Array, constants: Array, start: Array, flip: float) -> tuple[Array, Array]:
    """Return the voltages [rows, samples] and the history [rows] after them; g is [rows, 1 or samples]."""
    rows, samples = current.shape
    step = 1 if g.shape[1] > 1 else 0
    out, end = empty((rows, samples)), empty(rows)
    for row in range(rows):
        k, saturation, a, b = constants[row]
        history = start[row]
        for n in range(samples):
            p = current[row, n] + history
            if p >= 0.0:
                v = root(p, g[row, n * step], saturation, a, b)
            else:
                v = -root(-p, g[row, n * step], saturation, b, a)
            out[row, n] = v
            history = k * v - flip * history
        end[row] = history
    return out, end


@njit(cache=True, nogil=True, error_model="numpy")
def solve_adjoint(
    grad: Array, grad_end: Array, out: Array, g: Array, constants: Array, flip: float
) -> tuple[Array, Array, Array, Array]:
    """Return the gradients to current, g, constants and start, given those to voltages and end.

    By the implicit function theorem the slope of v along whatever moves its equation is that movement
    over the slope of the equation along v.
    """
    rows, samples = out.shape
    step = 1 if g.shape[1] > 1 else 0
    to_current, to_g = empty((rows, samples)), zeros(g.shape)
    to_constants, to_start = zeros((rows, 4)), empty(rows)
    for row in range(rows):
        k, saturation, a, b = constants[row]
        carried = grad_end[row]
        for n in range(samples - 1, -1, -1):
            v = out[row, n]
            up, down = saturation * exp(v / a), saturation * exp(-v / b)
            push = (grad[row, n] + k * carried) / (g[row, n * step] + up / a + down / b)
            to_current[row, n] = push
            to_g[row, n * step] -= push * v
            to_constants[row, 0] += carried * v
            to_constants[row, 1] -= push * (up - down) / saturation
            to_constants[row, 2] += push * up * v / (a * a)
            to_constants[row, 3] += push * down * v / (b * b)
            carried = push - flip * carried
        to_start[row] = carried
    return to_current, to_g, to_constants, to_start
