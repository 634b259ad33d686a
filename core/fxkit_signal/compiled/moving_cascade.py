"""Cascades of second-order sections whose coefficients move, compiled: eight signals at once.

Section k in transposed direct form II with the coefficients of its sample: y[n] = b0[n] u[n] + z1,
z1' = b1[n] u[n] - a1[n] y[n] + z2, z2' = b2[n] u[n] - a2[n] y[n]. With v the adjoint of y, the chain rule
gives v[n] = g[n] - a1[n] v[n + 1] - a2[n] v[n + 2], the adjoint of the input b0[n] v[n] + b1[n] v[n + 1] +
b2[n] v[n + 2], of the state (v[n], v[n + 1]), and of the coefficients v[n + i] u[n] and -v[n + i] y[n].
The way back runs each tile once more from the state that the way there kept of its start.
"""

from __future__ import annotations

from typing import Any

import numpy as np

from fxkit_signal.compiled.kernel import kernel
from fxkit_signal.compiled.lanes import (
    LANES,
    fill,
    load,
    part,
    read_six,
    spill,
    splat,
    store,
    tiles,
    turn,
    write_six,
)

TILE = 32
# Numbers far below this become zero between tiles: arithmetic on denormal numbers is slow.
TINY = 1e-140


@kernel()
def forward(x: Any, sos: Any, state: Any, y: Any, hop: int, offset: int, keep: bool) -> Any:
    """Filter flat signals x into y; return the end states, and the states at the starts of the tiles.

    `x` and `y` [rows * samples]; `sos` [groups, frames, sections, 6] float64, each group serving as many
    neighbouring rows, with sample j at frame (offset + j) / hop; `state` [rows, 2 * sections] float64.
    """
    rows, order = state.shape
    samples, sections = x.size // rows, sos.shape[2]
    count_tiles = -(-samples // TILE)
    kept = np.empty((-(-rows // LANES) * count_tiles if keep else 0, order, LANES))
    after = np.zeros((rows, order))
    places, groups = np.zeros(LANES, np.int64), np.zeros(LANES, np.int64)
    tile, own, moving, ends = tiles(TILE), tiles(order), tiles(5 * TILE), tiles(10)
    for first in range(0, rows, LANES):
        active = _place(places, groups, first, rows, samples, sos.shape[0])
        for i in range(order):
            for lane in range(LANES):
                own[i, lane] = state[places[lane] // samples, i]
        for number in range(count_tiles):
            start = number * TILE
            count = min(TILE, samples - start)
            if keep:
                for i in range(order):
                    store(kept[first // LANES * count_tiles + number], i, load(own, i))
            fill(tile, x, places, start, count)
            for k in range(sections):
                _spread(moving, ends, sos, groups, k, offset + start, count, hop)
                _section(tile, tile, count, moving, own, k)
            spill(tile, y, places, active, start, count)
        for lane in range(active):
            for i in range(order):
                after[first + lane, i] = own[i, lane]
    return after, kept


@kernel()
def backward(
    x: Any,
    sos: Any,
    kept: Any,
    grad_y: Any,
    grad_state: Any,
    grad_x: Any,
    grad_sos: Any,
    hop: int,
    offset: int,
) -> Any:
    """Write the gradients of x and of `sos`; return that of the start state.

    The gradient of `sos` is added to what is there, unless each signal has its own section at each sample:
    then it is written.
    """
    rows, order = grad_state.shape
    samples, sections = x.size // rows, sos.shape[2]
    count_tiles = -(-samples // TILE)
    before = np.zeros((rows, order))
    places, groups = np.zeros(LANES, np.int64), np.zeros(LANES, np.int64)
    tile, own, state, moving, ends = tiles(TILE), tiles(order), tiles(order), tiles(5 * TILE), tiles(10)
    signals = tiles((sections + 1) * TILE).reshape(sections + 1, TILE, LANES)
    for first in range(0, rows, LANES):
        active = _place(places, groups, first, rows, samples, sos.shape[0])
        for i in range(order):
            for lane in range(LANES):
                own[i, lane] = grad_state[places[lane] // samples, i]
        for number in range(count_tiles - 1, -1, -1):
            start = number * TILE
            count = min(TILE, samples - start)
            fill(signals[0], x, places, start, count)
            for i in range(order):
                store(state, i, load(kept[first // LANES * count_tiles + number], i))
            for k in range(sections):
                _spread(moving, ends, sos, groups, k, offset + start, count, hop)
                _section(signals[k], signals[k + 1], count, moving, state, k)
            fill(tile, grad_y, places, start, count)
            for k in range(sections - 1, -1, -1):
                # The coefficients of the last section are still there.
                if k < sections - 1:
                    _spread(moving, ends, sos, groups, k, offset + start, count, hop)
                _section_back(tile, signals[k], signals[k + 1], count, moving, own, k)
                _collect(
                    moving, ends, grad_sos, groups, active, k, offset + start, count, hop, sos.shape[0] < rows
                )
            spill(tile, grad_x, places, active, start, count)
        for lane in range(active):
            for i in range(order):
                before[first + lane, i] = own[i, lane]
    return before


@part
def _place(places: Any, groups: Any, first: int, rows: int, samples: int, count: int) -> int:
    """Find where eight rows begin, and their groups; return how many rows there are.

    Lanes beyond the last repeat the first: their results go nowhere.
    """
    active = min(LANES, rows - first)
    for lane in range(LANES):
        row = first + (lane if lane < active else 0)
        places[lane] = row * samples
        groups[lane] = row * count // rows
    return active


@part
def _spread(
    moving: Any, ends: Any, sos: Any, groups: Any, k: int, position: int, count: int, hop: int
) -> None:
    """Write b0 b1 b2 a1 a2 of section k at each of `count` samples [5 * samples, 8]."""
    n, flat = 0, sos.ravel()
    while n < count:
        frame, within = (position + n) // hop, (position + n) % hop
        until = min(count, n + hop - within)
        following = min(frame + 1, sos.shape[1] - 1)
        if hop == 1:
            _fetch(moving, n, flat, groups, (frame * sos.shape[2] + k) * 6, sos[0].size)
        else:
            for i in range(5):
                column = i if i < 3 else i + 1
                for lane in range(LANES):
                    here = sos[groups[lane], frame, k, column]
                    ends[i, lane] = here
                    ends[5 + i, lane] = (sos[groups[lane], following, k, column] - here) / hop
            c0, c1, c2, c3, c4 = load(ends, 0), load(ends, 1), load(ends, 2), load(ends, 3), load(ends, 4)
            d0, d1, d2, d3, d4 = load(ends, 5), load(ends, 6), load(ends, 7), load(ends, 8), load(ends, 9)
            for m in range(n, until):
                t = splat(float(within + m - n))
                store(moving, 5 * m, c0 + d0 * t)
                store(moving, 5 * m + 1, c1 + d1 * t)
                store(moving, 5 * m + 2, c2 + d2 * t)
                store(moving, 5 * m + 3, c3 + d3 * t)
                store(moving, 5 * m + 4, c4 + d4 * t)
        n = until


@part
def _fetch(moving: Any, n: int, sos: Any, groups: Any, place: int, size: int) -> None:
    """Turn the sections of eight lanes, six numbers each, into one row for each number but a0."""
    low = (
        read_six(sos, groups[0] * size + place), read_six(sos, groups[1] * size + place),
        read_six(sos, groups[2] * size + place), read_six(sos, groups[3] * size + place),
    )  # fmt: skip
    high = (
        read_six(sos, groups[4] * size + place), read_six(sos, groups[5] * size + place),
        read_six(sos, groups[6] * size + place), read_six(sos, groups[7] * size + place),
    )  # fmt: skip
    b0, b1, b2, _, a1, a2, _, _ = turn(low + high)
    store(moving, 5 * n, b0)
    store(moving, 5 * n + 1, b1)
    store(moving, 5 * n + 2, b2)
    store(moving, 5 * n + 3, a1)
    store(moving, 5 * n + 4, a2)


@part
def _deliver(
    moving: Any, n: int, grad_sos: Any, groups: Any, active: int, place: int, size: int, shared: bool
) -> None:
    """Bring the gradients of eight lanes to their sections, adding up where signals share them."""
    none = splat(0.0)
    b0, b1, b2 = load(moving, 5 * n), load(moving, 5 * n + 1), load(moving, 5 * n + 2)
    lanes = turn((b0, b1, b2, none, load(moving, 5 * n + 3), load(moving, 5 * n + 4), none, none))
    for lane in range(active):
        here = groups[lane] * size + place
        write_six(grad_sos, here, read_six(grad_sos, here) + lanes[lane] if shared else lanes[lane])


@part
def _section(source: Any, target: Any, count: int, moving: Any, state: Any, k: int) -> None:
    z1, z2, tiny = load(state, 2 * k), load(state, 2 * k + 1), splat(TINY)
    for n in range(count):
        u = load(source, n)
        y = load(moving, 5 * n) * u + z1
        z1 = (load(moving, 5 * n + 1) * u + z2) - load(moving, 5 * n + 3) * y
        z2 = load(moving, 5 * n + 2) * u - load(moving, 5 * n + 4) * y
        store(target, n, y)
    store(state, 2 * k, z1 + tiny - tiny)
    store(state, 2 * k + 1, z2 + tiny - tiny)


@part
def _section_back(tile: Any, source: Any, target: Any, count: int, moving: Any, adjoint: Any, k: int) -> None:
    """Run one section backwards, and put the gradients of its coefficients in their place."""
    v1, v2, tiny = load(adjoint, 2 * k), load(adjoint, 2 * k + 1), splat(TINY)
    none = splat(0.0)
    for n in range(count - 1, -1, -1):
        u, y = load(source, n), load(target, n)
        v = (load(tile, n) - load(moving, 5 * n + 4) * v2) - load(moving, 5 * n + 3) * v1
        back = load(moving, 5 * n + 2) * v2 + load(moving, 5 * n + 1) * v1 + load(moving, 5 * n) * v
        store(tile, n, back)
        store(moving, 5 * n, v * u)
        store(moving, 5 * n + 1, v1 * u)
        store(moving, 5 * n + 2, v2 * u)
        store(moving, 5 * n + 3, none - v1 * y)
        store(moving, 5 * n + 4, none - v2 * y)
        v1, v2 = v, v1
    store(adjoint, 2 * k, v1 + tiny - tiny)
    store(adjoint, 2 * k + 1, v2 + tiny - tiny)


@part
def _collect(
    moving: Any, ends: Any, grad_sos: Any, groups: Any, active: int, k: int, position: int, count: int,
    hop: int, shared: bool,
) -> None:  # fmt: skip
    """Add gradients [5 * samples, 8] to those of the frames that each sample lies between."""
    n, flat = 0, grad_sos.ravel()
    while n < count:
        frame, within = (position + n) // hop, (position + n) % hop
        until = min(count, n + hop - within)
        following = min(frame + 1, grad_sos.shape[1] - 1)
        if hop == 1:
            place = (frame * grad_sos.shape[2] + k) * 6
            _deliver(moving, n, flat, groups, active, place, grad_sos[0].size, shared)
        else:
            for i in range(5):
                total, late, t = splat(0.0), splat(0.0), splat(within / hop)
                step = splat(1.0 / hop)
                for m in range(n, until):
                    gradient = load(moving, 5 * m + i)
                    total, late, t = total + gradient, late + gradient * t, t + step
                store(ends, i, total - late)
                store(ends, 5 + i, late)
            for i in range(5):
                column = i if i < 3 else i + 1
                for lane in range(active):
                    grad_sos[groups[lane], frame, k, column] += ends[i, lane]
                    grad_sos[groups[lane], following, k, column] += ends[5 + i, lane]
        n = until
