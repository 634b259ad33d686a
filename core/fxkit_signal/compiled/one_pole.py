"""The one-pole smoother y[n] = (1 - a[n]) x[n] + a[n] y[n - 1], compiled: eight signals at once.

With v[n] = g[n] + a[n + 1] v[n + 1] the adjoint of y, that of x is (1 - a[n]) v[n], of a[n] it is
v[n] (y[n - 1] - x[n]), of the start a[0] v[0]. The way back runs each tile once more from the output that
the way there kept of its start.
"""

from __future__ import annotations

from typing import Any

import numpy as np

from fxkit_signal.compiled.kernel import kernel
from fxkit_signal.compiled.lanes import LANES, fill, load, part, spill, splat, store, tiles

TILE = 64
# Numbers far below this become zero between tiles: arithmetic on denormal numbers is slow.
TINY = 1e-140


@kernel()
def forward(x: Any, a: Any, start: Any, y: Any, keep: bool) -> Any:
    """Smooth flat signals x into y; return the last outputs, and those before each tile.

    `x` and `y` [rows * samples]; `a` [groups, 1 or samples] float64, each group serving as many
    neighbouring rows; `start` [rows] float64.
    """
    rows, samples = start.size, x.size // start.size
    count_tiles = -(-samples // TILE)
    kept = np.empty((-(-rows // LANES) * count_tiles if keep else 0, LANES))
    after = np.zeros(rows)
    places, places_a = np.zeros(LANES, np.int64), np.zeros(LANES, np.int64)
    tile, track, last = tiles(TILE), tiles(TILE), tiles(1)
    for first in range(0, rows, LANES):
        active = _enter(places, places_a, last, start, track, a, first, samples)
        for number in range(count_tiles):
            begin = number * TILE
            count = min(TILE, samples - begin)
            if keep:
                store(kept, first // LANES * count_tiles + number, load(last, 0))
            fill(tile, x, places, begin, count)
            if a.shape[1] > 1:
                fill(track, a.ravel(), places_a, begin, count)
            _run(tile, tile, track, count, last)
            spill(tile, y, places, active, begin, count)
        for lane in range(active):
            after[first + lane] = last[0, lane]
    return after, kept


@kernel()
def backward(x: Any, a: Any, kept: Any, grad_y: Any, grad_after: Any, grad_x: Any, grad_a: Any) -> Any:
    """Write the gradients of x and, for each row, of a (flat, float64); return that of the start."""
    rows, samples = grad_after.size, x.size // grad_after.size
    count_tiles = -(-samples // TILE)
    before = np.zeros(rows)
    places, places_a = np.zeros(LANES, np.int64), np.zeros(LANES, np.int64)
    tile, track, last, passed = tiles(TILE), tiles(TILE), tiles(1), tiles(1)
    signal, smooth, change, total = tiles(TILE), tiles(TILE), tiles(TILE), tiles(1)
    for first in range(0, rows, LANES):
        active = _enter(places, places_a, passed, grad_after, track, a, first, samples)
        store(total, 0, splat(0.0))
        for number in range(count_tiles - 1, -1, -1):
            begin = number * TILE
            count = min(TILE, samples - begin)
            fill(signal, x, places, begin, count)
            if a.shape[1] > 1:
                fill(track, a.ravel(), places_a, begin, count)
            start = load(kept, first // LANES * count_tiles + number)
            store(last, 0, start)
            _run(signal, smooth, track, count, last)
            fill(tile, grad_y, places, begin, count)
            _run_back(tile, signal, smooth, track, change, start, count, passed, total)
            spill(tile, grad_x, places, active, begin, count)
            if a.shape[1] > 1:
                spill(change, grad_a, places, active, begin, count)
        for lane in range(active):
            before[first + lane] = passed[0, lane]
            if a.shape[1] == 1:
                grad_a[first + lane] = total[0, lane]
    return before


@part
def _enter(
    places: Any, places_a: Any, last: Any, start: Any, track: Any, a: Any, first: int, samples: int
) -> int:
    """Find where eight rows and their coefficients begin; lanes beyond the last repeat the first."""
    active: int = min(LANES, start.size - first)
    for lane in range(LANES):
        row = first + (lane if lane < active else 0)
        group = row * a.shape[0] // start.size
        places[lane], places_a[lane] = row * samples, group * a.shape[1]
        last[0, lane] = start[row]
        for n in range(TILE):
            track[n, lane] = a[group, 0]
    return active


@part
def _run(source: Any, target: Any, track: Any, count: int, last: Any) -> None:
    y, tiny = load(last, 0), splat(TINY)
    for n in range(count):
        x, a = load(source, n), load(track, n)
        y = (x - a * x) + a * y
        store(target, n, y)
    store(last, 0, y + tiny - tiny)


@part
def _run_back(
    tile: Any,
    signal: Any,
    smooth: Any,
    track: Any,
    change: Any,
    start: Any,
    count: int,
    passed: Any,
    total: Any,
) -> None:
    """Write the gradients of x and a of a tile, and add those of a up."""
    carried, sums, tiny = load(passed, 0), load(total, 0), splat(TINY)
    for n in range(count - 1, -1, -1):
        a, before = load(track, n), load(smooth, n - 1) if n > 0 else start
        v = load(tile, n) + carried
        carried = a * v
        own = v * (before - load(signal, n))
        sums = sums + own
        store(change, n, own)
        store(tile, n, v - carried)
    store(passed, 0, carried + tiny - tiny)
    store(total, 0, sums)
