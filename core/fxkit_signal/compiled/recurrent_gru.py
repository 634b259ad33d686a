"""Steps of a GRU through a stretch of time and back, compiled: neighbouring units by the vector.

r, z = sigmoid of their gates, n = tanh(x_n + r h_n), h' = n + z (h - n), where h_n is what h brings to n.
The four columns are r, z, h_n and x_n; h reaches the first three. As in `recurrent_lstm`, four items
advance together, and the way back gets the columns anew. With dh what reaches h', the chain rule gives n
a gradient of dh (1 - z) (1 - n^2), called dn, and the columns (dn h_n r (1 - r), dh (h - n) z (1 - z),
dn r, dn), and h before dh z and the product of the columns and the weights.
"""

from __future__ import annotations

from typing import Any

import numpy as np

from fxkit_signal.compiled.kernel import kernel
from fxkit_signal.compiled.lanes import part
from fxkit_signal.compiled.recurrent_vectors import expm1, gathering, settled
from fxkit_signal.compiled.vectors import WIDTH, get, put, spread_out

COLUMNS, GATES = 4, 3
_four, _two, _one = (gathering(GATES, items, ways, False) for items, ways in ((4, 1), (2, 2), (1, 4)))
_four_back, _two_back, _one_back = (
    gathering(GATES, items, ways, True) for items, ways in ((4, 1), (2, 2), (1, 4))
)


@kernel()
def forward(
    gates: Any, weights: Any, hidden: Any, h: Any, first: int, stop: int, at: int, begin: int, steps: int
) -> None:
    """Run items [first, stop) for `steps` steps; h [batch, units] becomes that after them.

    `gates` [batch, times, 4 * units] is read from `at` on, `hidden` [batch, times, units] written from
    `begin` on, `weights` are in strips [units / WIDTH, units, 3, WIDTH].
    """
    units = h.shape[1]
    now, then = np.empty(4 * units, np.float32), np.empty(4 * units, np.float32)
    sums = np.empty(4 * GATES * WIDTH, np.float32)
    x, y, w, own = gates.ravel(), hidden.ravel(), weights.ravel(), h.ravel()
    pitch_x, pitch_y = gates.shape[1] * COLUMNS * units, hidden.shape[1] * units
    item = first
    while item < stop:
        items = 4 if stop - item >= 4 else 2 if stop - item >= 2 else 1
        now[: items * units] = own[item * units : (item + items) * units]
        for n in range(steps):
            from_x = item * pitch_x + (at + n) * COLUMNS * units
            to_y = item * pitch_y + (begin + n) * units
            for u in range(0, units, WIDTH):
                if items == 4:
                    _four(w, u * units * GATES, now, 0, units, 0, units, sums)
                elif items == 2:
                    _two(w, u * units * GATES, now, 0, units, 0, units, sums)
                else:
                    _one(w, u * units * GATES, now, 0, units, 0, units, sums)
                for i in range(items):
                    before = get(now, i * units + u)
                    value = _cell(x, from_x + i * pitch_x + u, units, sums, i * GATES * WIDTH, before)
                    put(then, i * units + u, value)
                    put(y, to_y + i * pitch_y + u, value)
            now, then = then, now
        own[item * units : (item + items) * units] = now[: items * units]
        item += items


@part
def _cell(x: Any, place: int, units: int, sums: Any, at: int, h: Any) -> Any:
    """Return h' of a vector of units, given their columns without what h brings and that."""
    zero, one, two = spread_out(0.0), spread_out(1.0), spread_out(2.0)
    r = expm1(zero - (get(x, place) + get(sums, at)))
    z = expm1(zero - (get(x, place + units) + get(sums, at + WIDTH)))
    brought = get(x, place + 2 * units) + get(sums, at + 2 * WIDTH)
    t = expm1(two * (get(x, place + 3 * units) + brought / (two + r)))
    n = t / (two + t)
    return settled(n + (h - n) * (one / (two + z)))


@kernel()
def backward(
    gates: Any, factors: Any, grad: Any, weights: Any, start: Any, dh: Any, first: int, stop: int, begin: int
) -> None:
    """Turn the columns, [batch, steps, 4 * units], into their gradients, in place.

    `factors` is space for [batch, steps, 2 * units], `grad` [batch, times, units] that of h from `begin`
    on, `weights` are in strips [units / WIDTH, units, 3, WIDTH] of what each unit gets from the columns,
    `start` [batch, units] is h before the stretch; dh [batch, units] goes from after it to before it.
    """
    units, steps = start.shape[1], gates.shape[1]
    x, s, y, w, to_h = gates.ravel(), factors.ravel(), grad.ravel(), weights.ravel(), dh.ravel()
    sums = np.empty(4 * GATES * WIDTH, np.float32)
    pitch, pitch_y = steps * COLUMNS * units, grad.shape[1] * units
    for item in range(first, stop):
        _factors(x, s, item * steps, steps, units, start.ravel(), item * units)
    item = first
    while item < stop:
        items = 4 if stop - item >= 4 else 2 if stop - item >= 2 else 1
        for n in range(steps - 1, -1, -1):
            for i in range(item, item + items):
                row, where = i * steps + n, i * pitch_y + (begin + n) * units
                _share(x, row * COLUMNS * units, s, row * 2 * units, y, where, to_h, i * units, units)
            place = (item * steps + n) * COLUMNS * units
            for u in range(0, units, WIDTH):
                if items == 4:
                    _four_back(w, u * units * GATES, x, place, pitch, units, units, sums)
                elif items == 2:
                    _two_back(w, u * units * GATES, x, place, pitch, units, units, sums)
                else:
                    _one_back(w, u * units * GATES, x, place, pitch, units, units, sums)
                for i in range(items):
                    at, to = i * GATES * WIDTH, (item + i) * units + u
                    brought = get(sums, at) + get(sums, at + WIDTH) + get(sums, at + 2 * WIDTH)
                    put(to_h, to, settled(get(to_h, to) + brought))
        item += items


@part
def _factors(x: Any, s: Any, row: int, steps: int, units: int, start: Any, at: int) -> None:
    """Replace the columns of one item by what dn (for z: dh) is multiplied with, and note those of dh."""
    zero, one, two = spread_out(0.0), spread_out(1.0), spread_out(2.0)
    for u in range(0, units, WIDTH):
        h = get(start, at + u)
        for step in range(row, row + steps):
            place = step * COLUMNS * units + u
            r = one / (two + expm1(zero - get(x, place)))
            z = one / (two + expm1(zero - get(x, place + units)))
            brought = get(x, place + 2 * units)
            t = expm1(two * (get(x, place + 3 * units) + r * brought))
            n = t / (two + t)
            put(x, place, brought * r * (one - r))
            put(x, place + units, (h - n) * z * (one - z))
            put(x, place + 2 * units, r)
            put(s, step * 2 * units + u, (one - z) * (one - n * n))
            put(s, step * 2 * units + units + u, z)
            h = settled(n + (h - n) * z)


@part
def _share(x: Any, place: int, s: Any, at: int, y: Any, where: int, to_h: Any, row: int, units: int) -> None:
    """Give what reaches h at one time to the columns and to h before."""
    for u in range(0, units, WIDTH):
        dh = get(to_h, row + u) + get(y, where + u)
        dn = dh * get(s, at + u)
        put(x, place + u, dn * get(x, place + u))
        put(x, place + units + u, dh * get(x, place + units + u))
        put(x, place + 2 * units + u, dn * get(x, place + 2 * units + u))
        put(x, place + 3 * units + u, dn)
        put(to_h, row + u, dh * get(s, at + units + u))
