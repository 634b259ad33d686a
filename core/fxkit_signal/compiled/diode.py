"""The compiled solver of a capacitor between diodes, and its adjoint, in float64.

At every sample the voltage v solves g v + I (e^(v / a) - e^(-v / b)) = p with p = current + history;
afterwards history = k v - flip history. The columns of `constants` [rows, 4] are k, I, a and b.
"""

from __future__ import annotations

from math import exp, log1p

from numpy import empty, float64, zeros
from numpy.typing import NDArray

from fxkit_signal.compiled.kernel import kernel

Array = NDArray[float64]
# Ten steps are enough for any circuit within nine decades; the rest is for safety.
STEPS = 32
# Rows that are solved side by side: one alone waits for its own exponential functions.
LANES = 4
# A step d leaves an error below d^2 / (2 a), as the equation bends no faster than e^(v / a): 5e-15 a.
LAST_STEP = 1e-7


@kernel()
def bound(p: float, g: float, saturation: float, ahead: float) -> float:
    """Return a voltage beyond the root for p >= 0.

    It is where the resistor alone or the diode alone would take the whole current, whichever is less. The
    function bends away from there, so that Newton's steps close in from one side.
    """
    v = p / g
    return min(v, ahead * log1p(p / saturation)) if v > ahead else v


@kernel()
def close_in(v: Array, p: Array, g: Array, saturation: Array, ahead: Array, back: Array) -> None:
    """Move each v >= 0 from its bound to its root for p >= 0; all lanes step until the last is there."""
    for _ in range(STEPS):
        busy = False
        for lane in range(v.shape[0]):
            a, b = ahead[lane], back[lane]
            rise = exp(v[lane] / a)
            fall = 1.0 / rise if a == b else exp(-v[lane] / b)
            up, down = saturation[lane] * rise, saturation[lane] * fall
            step = (g[lane] * v[lane] + up - down - p[lane]) / (g[lane] + up / a + down / b)
            v[lane] = max(v[lane] - step, 0.0)
            busy = busy or abs(step) > LAST_STEP * min(a, b)
        if not busy:
            break


@kernel()
def solve(current: Array, g: Array, constants: Array, start: Array, flip: float) -> tuple[Array, Array]:
    """Return the voltages [rows, samples] and the history [rows] after them; g is [rows, 1 or samples]."""
    rows, samples = current.shape
    step = 1 if g.shape[1] > 1 else 0
    out, end = empty((rows, samples)), start.copy()
    for first in range(0, rows, LANES):
        count = min(LANES, rows - first)
        v, p, total, sign = empty(count), empty(count), empty(count), empty(count)
        ahead, back = empty(count), empty(count)
        kept, saturation = constants[first : first + count, 0], constants[first : first + count, 1].copy()
        history = end[first : first + count]
        for n in range(samples):
            for lane in range(count):
                row = first + lane
                incoming = current[row, n] + history[lane]
                rising = incoming >= 0.0
                sign[lane] = 1.0 if rising else -1.0
                ahead[lane] = constants[row, 2 if rising else 3]
                back[lane] = constants[row, 3 if rising else 2]
                p[lane], total[lane] = abs(incoming), g[row, n * step]
                v[lane] = bound(p[lane], total[lane], saturation[lane], ahead[lane])
            close_in(v, p, total, saturation, ahead, back)
            for lane in range(count):
                out[first + lane, n] = sign[lane] * v[lane]
                history[lane] = kept[lane] * out[first + lane, n] - flip * history[lane]
    return out, end


@kernel()
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
