"""The attack and release smoother and its adjoint, row by row.

Rows are worked on four at a time: one recursion alone would leave the processor waiting for its own
last result.
"""

from __future__ import annotations

from numpy import empty, float64, zeros
from numpy.typing import NDArray

from fxkit_signal.compiled.kernel import kernel

Array = NDArray[float64]


@kernel()
def _next(x: float, last: float, rise: float, fall: float) -> float:
    return x + (rise if x > last else fall) * (last - x)


@kernel()
def smooth(level: Array, attack: Array, release: Array, start: Array) -> Array:
    """Smooth `level` [rows, samples] by coefficients [rows, 1 or samples], from `start` [rows].

    Returns [rows, 1 + samples], `start` first.
    """
    rows, samples = level.shape
    step = 1 if attack.shape[1] > 1 else 0
    out = empty((rows, samples + 1))
    for r in range(rows):
        out[r, 0] = start[r]
    for r in range(0, rows - 3, 4):
        a, b, c, d = start[r], start[r + 1], start[r + 2], start[r + 3]
        for n in range(samples):
            k, m = n * step, n + 1
            a = _next(level[r, n], a, attack[r, k], release[r, k])
            b = _next(level[r + 1, n], b, attack[r + 1, k], release[r + 1, k])
            c = _next(level[r + 2, n], c, attack[r + 2, k], release[r + 2, k])
            d = _next(level[r + 3, n], d, attack[r + 3, k], release[r + 3, k])
            out[r, m], out[r + 1, m], out[r + 2, m], out[r + 3, m] = a, b, c, d
    for r in range(rows // 4 * 4, rows):
        a = start[r]
        for n in range(samples):
            a = _next(level[r, n], a, attack[r, n * step], release[r, n * step])
            out[r, n + 1] = a
    return out


@kernel()
def _choose(level: Array, before: Array, attack: Array, release: Array, chosen: Array) -> None:
    """Write the coefficient that each sample of a row took, given the smoothed levels before it."""
    if len(attack) > 1:
        for n in range(len(level)):
            chosen[n] = attack[n] if before[n] < level[n] else release[n]
    else:
        rise, fall = attack[0], release[0]
        for n in range(len(level)):
            chosen[n] = rise if before[n] < level[n] else fall


@kernel()
def _carry(grad: Array, total: Array) -> None:
    """Replace coefficients by what reaches each sample's level, from its own gradient and later ones."""
    rows, samples = grad.shape
    for r in range(0, rows - 3, 4):
        a = b = c = d = 0.0
        for n in range(samples - 1, -1, -1):
            a, b, c, d = a + grad[r, n], b + grad[r + 1, n], c + grad[r + 2, n], d + grad[r + 3, n]
            e, f, g, h = total[r, n], total[r + 1, n], total[r + 2, n], total[r + 3, n]
            total[r, n], total[r + 1, n], total[r + 2, n], total[r + 3, n] = a, b, c, d
            a, b, c, d = a * e, b * f, c * g, d * h
    for r in range(rows // 4 * 4, rows):
        a = 0.0
        for n in range(samples - 1, -1, -1):
            a += grad[r, n]
            e = total[r, n]
            total[r, n] = a
            a *= e


@kernel("reassoc")
def _share(
    level: Array, before: Array, attack: Array, release: Array, total: Array, rising: Array, falling: Array
) -> None:
    """Share `total` out between the level of a row, in its place, and the coefficients."""
    if len(attack) > 1:
        for n in range(len(level)):
            gap = before[n] - level[n]
            rising[n], falling[n] = total[n] * min(gap, 0.0), total[n] * max(gap, 0.0)
            total[n] -= total[n] * (attack[n] if gap < 0.0 else release[n])
    else:
        rise, fall, up, down = attack[0], release[0], 0.0, 0.0
        for n in range(len(level)):
            gap = before[n] - level[n]
            up += total[n] * min(gap, 0.0)
            down += total[n] * max(gap, 0.0)
            total[n] -= total[n] * (rise if gap < 0.0 else fall)
        rising[0], falling[0] = up, down


@kernel()
def smooth_adjoint(
    grad: Array, level: Array, attack: Array, release: Array, out: Array
) -> tuple[Array, Array, Array, Array]:
    """Return the gradients to level, attack, release and start, given what `smooth` returned.

    `grad` is that to all but the first of `out`.
    """
    rows, samples = level.shape
    total, to_start = empty((rows, samples)), empty(rows)
    to_attack, to_release = zeros(attack.shape), zeros(attack.shape)
    for r in range(rows):
        _choose(level[r], out[r], attack[r], release[r], total[r])
        to_start[r] = total[r, 0]
    _carry(grad, total)
    for r in range(rows):
        to_start[r] *= total[r, 0]
        _share(level[r], out[r], attack[r], release[r], total[r], to_attack[r], to_release[r])
    return total, to_attack, to_release, to_start
