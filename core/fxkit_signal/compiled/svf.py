"""The trapezoidal state-variable filter, compiled: eight signals at once.

high = (x - (2 r + g) s1 - s2) / (1 + 2 r g + g^2), band = g high + s1, low = g band + s2,
s1' = 2 band - s1, s2' = 2 low - s2, with g and r those of the sample. The adjoint follows from these
five lines backwards; the way back runs each tile once more from the state that the way there kept.
"""

from __future__ import annotations

from typing import Any

import numpy as np

from fxkit_signal.compiled.kernel import kernel
from fxkit_signal.compiled.lanes import LANES, fill, load, part, spill, splat, store, tiles

TILE = 32
# Numbers far below this become zero between tiles: arithmetic on denormal numbers is slow.
TINY = 1e-140


@kernel()
def forward(x: Any, g: Any, r: Any, state: Any, low: Any, band: Any, high: Any, keep: bool) -> Any:
    """Filter flat signals x into three; return the end states, and the states at the starts of the tiles.

    `x` and the outputs [rows * samples]; `g` and `r` [groups, 1 or samples] float64, each group serving as
    many neighbouring rows; `state` [rows, 2] float64.
    """
    rows, samples = state.shape[0], x.size // state.shape[0]
    count_tiles = -(-samples // TILE)
    kept = np.empty((-(-rows // LANES) * count_tiles if keep else 0, 2, LANES))
    after = np.zeros((rows, 2))
    places = np.zeros(LANES, np.int64)
    tile, own, gs, rs = tiles(TILE), tiles(2), tiles(TILE), tiles(TILE)
    bands, highs, places_g, places_r = (
        tiles(TILE),
        tiles(TILE),
        np.zeros(LANES, np.int64),
        np.zeros(LANES, np.int64),
    )
    for first in range(0, rows, LANES):
        active = _enter(places, own, state, first, samples)
        _control(gs, g, places, places_g, rows, samples)
        _control(rs, r, places, places_r, rows, samples)
        for number in range(count_tiles):
            start = number * TILE
            count = min(TILE, samples - start)
            if keep:
                store(kept[first // LANES * count_tiles + number], 0, load(own, 0))
                store(kept[first // LANES * count_tiles + number], 1, load(own, 1))
            fill(tile, x, places, start, count)
            if g.shape[1] > 1:
                fill(gs, g.ravel(), places_g, start, count)
            if r.shape[1] > 1:
                fill(rs, r.ravel(), places_r, start, count)
            _run(tile, bands, highs, gs, rs, count, own)
            spill(tile, low, places, active, start, count)
            spill(bands, band, places, active, start, count)
            spill(highs, high, places, active, start, count)
        for lane in range(active):
            after[first + lane, 0], after[first + lane, 1] = own[0, lane], own[1, lane]
    return after, kept


@kernel()
def backward(
    x: Any, g: Any, r: Any, kept: Any, grad_low: Any, grad_band: Any, grad_high: Any, grad_state: Any,
    grad_x: Any, grad_g: Any, grad_r: Any,
) -> Any:  # fmt: skip
    """Write the gradients of x, g and r for each row (the latter flat, float64); return that of the state."""
    rows, samples = grad_state.shape[0], x.size // grad_state.shape[0]
    count_tiles = -(-samples // TILE)
    before = np.zeros((rows, 2))
    places, totals, changes_g, changes_r = np.zeros(LANES, np.int64), tiles(2), tiles(TILE), tiles(TILE)
    places_g, places_r = np.zeros(LANES, np.int64), np.zeros(LANES, np.int64)
    tile, own, state, gs, rs = tiles(TILE), tiles(2), tiles(2), tiles(TILE), tiles(TILE)
    lows, bands, highs = tiles(TILE), tiles(TILE), tiles(TILE)
    to_low, to_band, to_high = tiles(TILE), tiles(TILE), tiles(TILE)
    for first in range(0, rows, LANES):
        active = _enter(places, own, grad_state, first, samples)
        _control(gs, g, places, places_g, rows, samples)
        _control(rs, r, places, places_r, rows, samples)
        store(totals, 0, splat(0.0))
        store(totals, 1, splat(0.0))
        for number in range(count_tiles - 1, -1, -1):
            start = number * TILE
            count = min(TILE, samples - start)
            store(state, 0, load(kept[first // LANES * count_tiles + number], 0))
            store(state, 1, load(kept[first // LANES * count_tiles + number], 1))
            fill(lows, x, places, start, count)
            if g.shape[1] > 1:
                fill(gs, g.ravel(), places_g, start, count)
            if r.shape[1] > 1:
                fill(rs, r.ravel(), places_r, start, count)
            _run(lows, bands, highs, gs, rs, count, state)
            fill(to_low, grad_low, places, start, count)
            fill(to_band, grad_band, places, start, count)
            fill(to_high, grad_high, places, start, count)
            _run_back(
                tile, bands, highs, gs, rs, to_low, to_band, to_high, changes_g, changes_r, count, own, totals
            )
            spill(tile, grad_x, places, active, start, count)
            if g.shape[1] > 1:
                spill(changes_g, grad_g, places, active, start, count)
            if r.shape[1] > 1:
                spill(changes_r, grad_r, places, active, start, count)
        for lane in range(active):
            before[first + lane, 0], before[first + lane, 1] = own[0, lane], own[1, lane]
            if g.shape[1] == 1:
                grad_g[first + lane] = totals[0, lane]
            if r.shape[1] == 1:
                grad_r[first + lane] = totals[1, lane]
    return before


@part
def _enter(places: Any, own: Any, state: Any, first: int, samples: int) -> int:
    """Find where eight rows begin and bring their states in; lanes beyond the last repeat the first."""
    active: int = min(LANES, state.shape[0] - first)
    for lane in range(LANES):
        row = first + (lane if lane < active else 0)
        places[lane] = row * samples
        own[0, lane], own[1, lane] = state[row, 0], state[row, 1]
    return active


@part
def _control(tile: Any, track: Any, places: Any, own_places: Any, rows: int, samples: int) -> None:
    """Find where the control of each lane begins, and fill the tile in case that it stands still."""
    for lane in range(LANES):
        group = places[lane] // samples * track.shape[0] // rows
        own_places[lane] = group * track.shape[1]
        for n in range(TILE):
            tile[n, lane] = track[group, 0]


@part
def _run(tile: Any, bands: Any, highs: Any, gs: Any, rs: Any, count: int, state: Any) -> None:
    """Filter a tile; it becomes the low output."""
    s1, s2, one, tiny = load(state, 0), load(state, 1), splat(1.0), splat(TINY)
    for n in range(count):
        g, r = load(gs, n), load(rs, n)
        damping = r + r + g
        high = (load(tile, n) - s2 - damping * s1) * (one / (one + g * damping))
        band = g * high + s1
        low = g * band + s2
        s1, s2 = band + band - s1, low + low - s2
        store(tile, n, low)
        store(bands, n, band)
        store(highs, n, high)
    store(state, 0, s1 + tiny - tiny)
    store(state, 1, s2 + tiny - tiny)


@part
def _run_back(
    tile: Any, bands: Any, highs: Any, gs: Any, rs: Any, to_low: Any, to_band: Any, to_high: Any,
    changes_g: Any, changes_r: Any, count: int, adjoint: Any, totals: Any,
) -> None:  # fmt: skip
    """Write the gradients of x, g and r of a tile, and add those of g and r up."""
    v1, v2, one, tiny = load(adjoint, 0), load(adjoint, 1), splat(1.0), splat(TINY)
    total_g, total_r = load(totals, 0), load(totals, 1)
    for n in range(count - 1, -1, -1):
        g, r, band, high = load(gs, n), load(rs, n), load(bands, n), load(highs, n)
        s1 = band - g * high
        damping = r + r + g
        low_bar = load(to_low, n) + v2 + v2
        band_bar = load(to_band, n) + v1 + v1 + g * low_bar
        inner = (load(to_high, n) + g * band_bar) * (one / (one + g * damping))
        grad_g = low_bar * band + band_bar * high - inner * (s1 + high * (damping + g))
        half = inner * (s1 + g * high)
        grad_r = splat(0.0) - half - half
        v1, v2 = band_bar - v1 - damping * inner, low_bar - v2 - inner
        total_g, total_r = total_g + grad_g, total_r + grad_r
        store(tile, n, inner)
        store(changes_g, n, grad_g)
        store(changes_r, n, grad_r)
    store(adjoint, 0, v1 + tiny - tiny)
    store(adjoint, 1, v2 + tiny - tiny)
    store(totals, 0, total_g)
    store(totals, 1, total_r)
