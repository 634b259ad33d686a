"""Steps of an LSTM through a stretch of time and back, compiled: neighbouring units by the vector.

i, f, o = sigmoid, g = tanh of the gates, c' = f c + i g, h' = o tanh(c'). Four items advance together, so
that each weight that is read serves four; with fewer, sums over every other unit run side by side.

The way back gets the sums before the gates anew, as one product of the whole stretch: nothing but h has
to be kept of the way there. With dh what reaches h' from its use and from later steps, the chain rule gives
dc += dh o (1 - tanh(c')^2), and the four gates (dc g i (1 - i), dc c f (1 - f), dc i (1 - g^2), dh tanh(c')
o (1 - o)), dc f for the step before and the product of the gates and the weights for h. All factors that do
not depend on dh and dc are formed first, for all times at once.
"""

from __future__ import annotations

from typing import Any

import numpy as np

from fxkit_signal.compiled.kernel import kernel
from fxkit_signal.compiled.lanes import part
from fxkit_signal.compiled.recurrent_vectors import expm1, gathering, settled
from fxkit_signal.compiled.vectors import WIDTH, get, put, spread_out

GATES = 4
_four, _two, _one = (gathering(GATES, items, ways, False) for items, ways in ((4, 1), (2, 2), (1, 4)))
_four_back, _two_back, _one_back = (
    gathering(GATES, items, ways, True) for items, ways in ((4, 1), (2, 2), (1, 4))
)


@kernel()
def forward(
    gates: Any,
    weights: Any,
    hidden: Any,
    h: Any,
    c: Any,
    first: int,
    stop: int,
    at: int,
    begin: int,
    steps: int,
) -> None:
    """Run items [first, stop) for `steps` steps; h and c [batch, units] become those after it.

    `gates` [batch, times, 4 * units] is read from `at` on, `hidden` [batch, times, units] written from
    `begin` on, `weights` are in strips [units / WIDTH, units, 4, WIDTH].
    """
    units = h.shape[1]
    now, then, sums = (
        np.zeros(4 * units, np.float32),
        np.zeros(4 * units, np.float32),
        np.zeros(4 * GATES * WIDTH, np.float32),
    )
    x, y, w, cell = gates.ravel(), hidden.ravel(), weights.ravel(), c.ravel()
    pitch_x, pitch_y = gates.shape[1] * GATES * units, hidden.shape[1] * units
    item = first
    while item < stop:
        items = 4 if stop - item >= 4 else 2 if stop - item >= 2 else 1
        now[: items * units] = h.ravel()[item * units : (item + items) * units]
        for n in range(steps):
            from_x = item * pitch_x + (at + n) * GATES * units
            to_y = item * pitch_y + (begin + n) * units
            for u in range(0, units, WIDTH):
                if items == 4:
                    _four(w, u * units * GATES, now, 0, units, 0, units, sums)
                elif items == 2:
                    _two(w, u * units * GATES, now, 0, units, 0, units, sums)
                else:
                    _one(w, u * units * GATES, now, 0, units, 0, units, sums)
                for i in range(items):
                    place = from_x + i * pitch_x + u
                    value = _cell(x, place, units, sums, i * GATES * WIDTH, cell, (item + i) * units + u)
                    put(then, i * units + u, value)
                    put(y, to_y + i * pitch_y + u, value)
            now, then = then, now
        h.ravel()[item * units : (item + items) * units] = now[: items * units]
        item += items


@part
def _cell(x: Any, place: int, units: int, sums: Any, at: int, cell: Any, where: int) -> Any:
    """Return h' of a vector of units, given their gates without what h brings and that; c becomes c'."""
    zero, two = spread_out(0.0), spread_out(2.0)
    i = expm1(zero - (get(x, place) + get(sums, at)))
    f = expm1(zero - (get(x, place + units) + get(sums, at + WIDTH)))
    g = expm1(two * (get(x, place + 2 * units) + get(sums, at + 2 * WIDTH)))
    o = expm1(zero - (get(x, place + 3 * units) + get(sums, at + 3 * WIDTH)))
    c = settled(get(cell, where) / (two + f) + g / ((two + i) * (two + g)))
    put(cell, where, c)
    t = expm1(two * c)
    return t / ((two + o) * (two + t))


@kernel()
def backward(
    gates: Any,
    factors: Any,
    grad: Any,
    weights: Any,
    start: Any,
    dh: Any,
    dc: Any,
    first: int,
    stop: int,
    begin: int,
) -> None:
    """Turn the sums before the gates, [batch, steps, 4 * units], into their gradients, in place.

    `factors` is space for [batch, steps, 2 * units], `grad` [batch, times, units] that of h from `begin` on,
    `weights` are in strips [units / WIDTH, units, 4, WIDTH] of what each unit gets from the gates, `start`
    [batch, units] is c before the stretch; dh and dc [batch, units] go from after it to before it.
    """
    units, steps = start.shape[1], gates.shape[1]
    x, s, y, w = gates.ravel(), factors.ravel(), grad.ravel(), weights.ravel()
    to_h, to_c, sums = dh.ravel(), dc.ravel(), np.zeros(4 * GATES * WIDTH, np.float32)
    pitch, pitch_y = steps * GATES * units, grad.shape[1] * units
    for item in range(first, stop):
        _factors(x, s, item * steps, steps, units, start.ravel(), item * units)
    item = first
    while item < stop:
        items = 4 if stop - item >= 4 else 2 if stop - item >= 2 else 1
        for n in range(steps - 1, -1, -1):
            for i in range(item, item + items):
                row = i * steps + n
                _share(
                    x,
                    row * GATES * units,
                    s,
                    row * 2 * units,
                    y,
                    i * pitch_y + (begin + n) * units,
                    to_h,
                    to_c,
                    i * units,
                    units,
                )
            place = (item * steps + n) * GATES * units
            for u in range(0, units, WIDTH):
                if items == 4:
                    _four_back(w, u * units * GATES, x, place, pitch, units, units, sums)
                elif items == 2:
                    _two_back(w, u * units * GATES, x, place, pitch, units, units, sums)
                else:
                    _one_back(w, u * units * GATES, x, place, pitch, units, units, sums)
                for i in range(items):
                    at = i * GATES * WIDTH
                    left, right = (
                        get(sums, at) + get(sums, at + WIDTH),
                        get(sums, at + 2 * WIDTH) + get(sums, at + 3 * WIDTH),
                    )
                    put(to_h, (item + i) * units + u, settled(left + right))
        item += items


@part
def _factors(x: Any, s: Any, row: int, steps: int, units: int, start: Any, at: int) -> None:
    """Replace the sums of one item by what dc (for o: dh) is multiplied with, and note that of dc and f."""
    one, two, zero = spread_out(1.0), spread_out(2.0), spread_out(0.0)
    for u in range(0, units, WIDTH):
        c = get(start, at + u)
        for n in range(row, row + steps):
            place = n * GATES * units + u
            i = one / (two + expm1(zero - get(x, place)))
            f = one / (two + expm1(zero - get(x, place + units)))
            t = expm1(two * get(x, place + 2 * units))
            g = t / (two + t)
            o = one / (two + expm1(zero - get(x, place + 3 * units)))
            put(x, place, g * i * (one - i))
            put(x, place + units, c * f * (one - f))
            put(x, place + 2 * units, i * (one - g * g))
            c = settled(f * c + i * g)
            t = expm1(two * c)
            t = t / (two + t)
            put(x, place + 3 * units, t * o * (one - o))
            put(s, n * 2 * units + u, o * (one - t * t))
            put(s, n * 2 * units + units + u, f)


@part
def _share(
    x: Any, place: int, s: Any, at: int, y: Any, where: int, to_h: Any, to_c: Any, row: int, units: int
) -> None:
    """Give what reaches h and c at one time to the gates and to c before."""
    for u in range(0, units, WIDTH):
        dh = get(to_h, row + u) + get(y, where + u)
        dc = get(to_c, row + u) + dh * get(s, at + u)
        put(x, place + u, dc * get(x, place + u))
        put(x, place + units + u, dc * get(x, place + units + u))
        put(x, place + 2 * units + u, dc * get(x, place + 2 * units + u))
        put(x, place + 3 * units + u, dh * get(x, place + 3 * units + u))
        put(to_c, row + u, settled(dc * get(s, at + units + u)))
