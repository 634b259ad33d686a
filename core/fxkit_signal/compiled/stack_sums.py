"""Gradients before activations, and of weights: sums over time that stay in registers while a tile lasts."""

from __future__ import annotations

from typing import Any

import numpy as np

from fxkit_signal.compiled.activation import TANH, steepness
from fxkit_signal.compiled.lanes import part
from fxkit_signal.compiled.vectors import SIDE, WIDTH, correlate, fold, get, nothing, put, spread_out, total

# Columns of the list of gradients: where the sums are, their rows and columns, what is taken of them.
AT, DOWN, ALONG, FROM, ROWS_OF, COLUMNS_OF, TAPS_OF = range(7)


@part
def learn(
    sums: Any, at: int, left: Any, own: int, apart: int, rows: int, right: Any, spots: Any, taps: int,
    stride: int, columns: int, length: int,
) -> None:  # fmt: skip
    """Add the products of rows with what taps read, each with each, summed over time."""
    for tap in range(taps):
        for o in range(0, rows, SIDE):
            for c in range(0, columns, SIDE):
                square = nothing()
                left_at, right_at = own + o * apart, spots[tap] + c * stride
                for n in range(0, length, WIDTH):
                    square = correlate(square, left, left_at + n, apart, right, right_at + n, stride)
                put(sums, at, get(sums, at) + fold(square))
                at += WIDTH


@part
def add_up(sums: Any, at: int, tile: Any, rows: int, length: int) -> None:
    """Add the sums over time of rows."""
    for row in range(rows):
        place = at + row * WIDTH
        own = get(sums, place)
        for n in range(row * length, (row + 1) * length, WIDTH):
            own = own + get(tile, n)
        put(sums, place, own)


@part
def straighten(
    pushes: Any, own: int, more: Any, total_to: Any, bent: Any, at: int, code: int, length: int
) -> None:
    """Write a row of the gradient before the activation."""
    for n in range(0, length, WIDTH):
        push = get(more, at + n) + get(total_to, at + n)
        put(pushes, own + n, push * steepness(get(bent, at + n), code))


@part
def straighten_gated(
    pushes: Any, own: int, apart: int, more: Any, total_to: Any, bent: Any, at: int, gate: int, length: int
) -> None:
    """Write the two rows of a gate: s (1 - t^2) and t s (1 - s) with t s = z, t = z / s."""
    one, least = spread_out(np.float32(1)), spread_out(np.float32(1e-38))
    for n in range(0, length, WIDTH):
        push = get(more, at + n) + get(total_to, at + n)
        z, s = get(bent, at + n), get(bent, gate + at + n)
        # The gate is never less than this.
        put(pushes, own + n, push * s * steepness(z / (s + least), TANH))
        put(pushes, own + apart + n, push * z * (one - s))


@part
def collected(sums: Any, found: Any) -> Any:
    """Return the gradients, one after another, from the sums; those of no taps are sums of rows."""
    size = 0
    for job in range(found.shape[0]):
        size += found[job, ROWS_OF] * found[job, COLUMNS_OF] * max(found[job, TAPS_OF], 1)
    grads, at = np.empty(size, np.float32), 0
    for job in range(found.shape[0]):
        one = found[job]
        for o in range(one[ROWS_OF]):
            for c in range(one[FROM], one[FROM] + one[COLUMNS_OF]):
                for k in range(max(one[TAPS_OF], 1)):
                    if one[TAPS_OF]:
                        square = (k * one[DOWN] + o // SIDE) * one[ALONG] + c // SIDE
                        grads[at] = _entry(sums, one[AT] + square * WIDTH, o % SIDE * SIDE + c % SIDE)
                    else:
                        grads[at] = total(get(sums, one[AT] + o * WIDTH))
                    at += 1
    return grads


@part
def _entry(sums: Any, at: int, number: int) -> Any:
    """Return a number of a folded square from its shares."""
    found = np.float32(0)
    for share in range(number, WIDTH, SIDE * SIDE):
        found += sums[at + share]
    return found
