"""Cascades of second-order sections with constant coefficients, compiled: eight signals at once.

Section k in transposed direct form II: y = b0 u + z1, z1' = b1 u - a1 y + z2, z2' = b2 u - a2 y, or with
y put in, z1' = (b1 - a1 b0) u + z2 - a1 z1, z2' = (b2 - a2 b0) u - a2 z1, whose steps follow each other
sooner. With v the adjoint of y, the chain rule gives v[n] = g[n] - a1 v[n + 1] - a2 v[n + 2], the adjoint
of the input b0 v[n] + b1 v[n + 1] + b2 v[n + 2], of the state (v[n], v[n + 1]), and of the coefficients
sums of v[n + i] u[n] and -v[n + i] y[n]. So the way back needs the signals between the sections: the way
there keeps the state at the start of every tile, and the way back runs each tile once more from it.

The eight lanes are signals or, where there are fewer of them, stretches of time of one signal: each
stretch runs from silence first, its true start follows from those ends through the power of the
transition matrix, which is exact because the system is linear, and then each runs from its true start.
"""

from __future__ import annotations

from typing import Any

import numpy as np

from fxkit_signal.compiled.kernel import kernel
from fxkit_signal.compiled.lanes import LANES, fill, load, part, spill, splat, store, tiles

TILE = 64
# Shorter stretches do not repay the second run and the matrix power.
STRETCH = 1024
# Numbers far below this become zero between tiles: arithmetic on denormal numbers is slow.
TINY = 1e-140


@kernel()
def forward(x: Any, sos: Any, state: Any, y: Any, keep: bool) -> Any:
    """Filter flat signals x into y; return the end states, and the states at the starts of the tiles.

    `x` and `y` [rows * samples]; `sos` [groups, sections, 6] float64, each group serving as many
    neighbouring rows; `state` [rows, 2 * sections] float64.
    """
    rows, order = state.shape
    samples = x.size // rows
    stretches, length, slots = _plan(rows, samples)
    kept = np.empty((slots if keep else 0, order, LANES))
    after = _copy(state, np.zeros((rows, order)), rows, 1, 0)
    starts = np.zeros((rows * stretches, order))
    for stage in range(0 if stretches > 1 else 1, 3):
        if stage == 1 and stretches > 1:
            _link(starts, after, sos, stretches, length, False)
        elif stage == 1:
            _copy(after, starts, rows, 1, 0)
        elif stage == 2:
            _copy(starts, after, rows, stretches, stretches - 1)
        _run(x, y, sos, after if stage == 2 else starts, kept, stage, stretches, length)
    return after, kept


@kernel()
def backward(x: Any, sos: Any, kept: Any, grad_y: Any, grad_state: Any, grad_x: Any) -> Any:
    """Return the gradients of `sos` and of the start state, and write that of x.

    With nothing kept the gradient of `sos` stays zero; with `grad_x` empty that of x is not written.
    """
    rows, order = grad_state.shape
    stretches, length, _ = _plan(rows, grad_y.size // rows)
    grad_sos = np.zeros(sos.shape)
    before = _copy(grad_state, np.zeros((rows, order)), rows, 1, 0)
    ends = np.zeros((rows * stretches, order))
    for stage in (2, 0, 1):
        if stage == 1 and stretches > 1:
            _link(ends, before, sos, stretches, length, True)
        elif stage == 1:
            _copy(before, ends, rows, 1, 0)
        if stage > 0 or stretches > 1:
            adjoint = before if stage == 2 else ends
            _run_back(x, grad_y, grad_x, sos, adjoint, kept, grad_sos, stage, stretches, length)
    _copy(ends, before, rows, stretches, 0)
    return grad_sos, before


@part
def _plan(rows: int, samples: int) -> Any:
    """Return into how many stretches signals are cut, their length, and how many tile starts there are."""
    best, stretches = float(-(-rows // LANES)), 1
    for count in range(2, LANES + 1):
        # Two runs forward and two back where there was one: half as much again on the whole.
        cost = 1.5 * -(-rows * count // LANES) / count
        if cost < best and samples >= count * STRETCH:
            best, stretches = cost, count
    length = samples // stretches // TILE * TILE if stretches > 1 else samples
    rest = samples - stretches * length
    groups = -(-rows * stretches // LANES)
    return stretches, length, groups * -(-length // TILE) + -(-rows // LANES) * -(-rest // TILE)


@part
def _copy(source: Any, target: Any, rows: int, step: int, first: int) -> Any:
    """Copy every `step`-th row of the longer, from `first` on, to those of the shorter; return the target."""
    for row in range(rows):
        for i in range(source.shape[1]):
            target[row, i] = source[row * step + first, i]
    return target


@part
def _place(places: Any, first: int, stage: int, rows: int, samples: int, stretches: int, length: int) -> int:
    """Find where the eight lanes from `first` on begin in the flat signals; return how many there are.

    Lanes beyond the last repeat the first: their results go nowhere.
    """
    cut = 1 if stage == 2 else stretches
    active = min(LANES, rows * cut - first)
    for lane in range(LANES):
        number = first + (lane if lane < active else 0)
        within = stretches * length if stage == 2 else number % cut * length
        places[lane] = number // cut * samples + within
    return active


@part
def _lay(coefficients: Any, sos: Any, rows: int, first: int, active: int, cut: int) -> None:
    """Lay b0 b1 b2 a1 a2 and the two gains into the state of each section out in lanes."""
    for lane in range(LANES):
        group = (first + (lane if lane < active else 0)) // cut * sos.shape[0] // rows
        for k in range(sos.shape[1]):
            for i in range(5):
                coefficients[7 * k + i, lane] = sos[group, k, i if i < 3 else i + 1]
            coefficients[7 * k + 5, lane] = sos[group, k, 1] - sos[group, k, 4] * sos[group, k, 0]
            coefficients[7 * k + 6, lane] = sos[group, k, 2] - sos[group, k, 5] * sos[group, k, 0]


@part
def _exchange(own: Any, state: Any, first: int, active: int, entering: bool) -> None:
    """Bring the states of eight lanes from [lanes, order] to [order, 8], or back."""
    for lane in range(LANES):
        for i in range(state.shape[1]):
            if entering:
                own[i, lane] = state[first + (lane if lane < active else 0), i]
            elif lane < active:
                state[first + lane, i] = own[i, lane]


@part
def _run(x: Any, y: Any, sos: Any, state: Any, kept: Any, stage: int, stretches: int, length: int) -> None:
    """Run all stretches (stage 0, output dropped; stage 1) or what is left of the signals (stage 2).

    `state` [lanes, order] goes from that of their starts to that of their ends.
    """
    cut = 1 if stage == 2 else stretches
    rows = state.shape[0] // cut
    samples = x.size // rows
    extent = samples - stretches * length if stage == 2 else length
    slot = -(-rows * stretches // LANES) * -(-length // TILE) if stage == 2 else 0
    places = np.zeros(LANES, np.int64)
    tile, own, coefficients = tiles(TILE), tiles(state.shape[1]), tiles(7 * sos.shape[1])
    for first in range(0, rows * cut if extent > 0 else 0, LANES):
        active = _place(places, first, stage, rows, samples, stretches, length)
        _exchange(own, state, first, active, True)
        _lay(coefficients, sos, rows, first, active, cut)
        for start in range(0, extent, TILE):
            count = min(TILE, extent - start)
            if stage > 0 and kept.shape[0] > 0:
                for i in range(state.shape[1]):
                    store(kept[slot], i, load(own, i))
                slot += 1
            fill(tile, x, places, start, count)
            for k in range(sos.shape[1]):
                _section(tile, tile, count, coefficients, own, k)
            if stage > 0:
                spill(tile, y, places, active, start, count)
        _exchange(own, state, first, active, False)


@part
def _section(source: Any, target: Any, count: int, coefficients: Any, state: Any, k: int) -> None:
    b0, a1, a2 = load(coefficients, 7 * k), load(coefficients, 7 * k + 3), load(coefficients, 7 * k + 4)
    into1, into2 = load(coefficients, 7 * k + 5), load(coefficients, 7 * k + 6)
    z1, z2, tiny = load(state, 2 * k), load(state, 2 * k + 1), splat(TINY)
    for n in range(count):
        u = load(source, n)
        store(target, n, b0 * u + z1)
        z1, z2 = (into1 * u + z2) - a1 * z1, into2 * u - a2 * z1
    store(state, 2 * k, z1 + tiny - tiny)
    store(state, 2 * k + 1, z2 + tiny - tiny)


@part
def _run_back(
    x: Any, grad_y: Any, grad_x: Any, sos: Any, adjoint: Any, kept: Any, grad_sos: Any,
    stage: int, stretches: int, length: int,
) -> None:  # fmt: skip
    """Run backwards in time what `_run` runs; `adjoint` [lanes, order] goes from the ends to the starts."""
    cut = 1 if stage == 2 else stretches
    rows, sections = adjoint.shape[0] // cut, sos.shape[1]
    samples = grad_y.size // rows
    extent = samples - stretches * length if stage == 2 else length
    groups_before = -(-rows * stretches // LANES) * -(-length // TILE) if stage == 2 else 0
    places = np.zeros(LANES, np.int64)
    tile, own, state = tiles(TILE), tiles(2 * sections), tiles(2 * sections)
    coefficients, sums = tiles(7 * sections), tiles(5 * sections)
    signals = tiles((sections + 1) * TILE).reshape(sections + 1, TILE, LANES)
    for first in range(0, rows * cut if extent > 0 else 0, LANES):
        active = _place(places, first, stage, rows, samples, stretches, length)
        _exchange(own, adjoint, first, active, True)
        _lay(coefficients, sos, rows, first, active, cut)
        for number in range((extent - 1) // TILE, -1, -1):
            start = number * TILE
            count = min(TILE, extent - start)
            fill(tile, grad_y, places, start, count)
            if stage > 0 and kept.shape[0] > 0:
                slot = groups_before + first // LANES * -(-extent // TILE) + number
                for i in range(2 * sections):
                    store(state, i, load(kept[slot], i))
                fill(signals[0], x, places, start, count)
                for k in range(sections):
                    _section(signals[k], signals[k + 1], count, coefficients, state, k)
                for k in range(sections - 1, -1, -1):
                    _section_back(tile, signals[k], signals[k + 1], count, coefficients, own, sums, k)
            else:
                for k in range(sections - 1, -1, -1):
                    _section_reversed(tile, count, coefficients, own, k)
            if stage > 0 and grad_x.size > 0:
                spill(tile, grad_x, places, active, start, count)
        _exchange(own, adjoint, first, active, False)
        _collect(sums, grad_sos, rows, first, active, cut)


@part
def _section_reversed(tile: Any, count: int, coefficients: Any, adjoint: Any, k: int) -> None:
    b0, b1, b2 = load(coefficients, 7 * k), load(coefficients, 7 * k + 1), load(coefficients, 7 * k + 2)
    a1, a2 = load(coefficients, 7 * k + 3), load(coefficients, 7 * k + 4)
    v1, v2, tiny = load(adjoint, 2 * k), load(adjoint, 2 * k + 1), splat(TINY)
    for n in range(count - 1, -1, -1):
        v = load(tile, n) - a2 * v2 - a1 * v1
        store(tile, n, b2 * v2 + b1 * v1 + b0 * v)
        v1, v2 = v, v1
    store(adjoint, 2 * k, v1 + tiny - tiny)
    store(adjoint, 2 * k + 1, v2 + tiny - tiny)


@part
def _section_back(
    tile: Any, source: Any, target: Any, count: int, coefficients: Any, adjoint: Any, sums: Any, k: int
) -> None:
    b0, b1, b2 = load(coefficients, 7 * k), load(coefficients, 7 * k + 1), load(coefficients, 7 * k + 2)
    a1, a2 = load(coefficients, 7 * k + 3), load(coefficients, 7 * k + 4)
    v1, v2, tiny = load(adjoint, 2 * k), load(adjoint, 2 * k + 1), splat(TINY)
    grad_b0, grad_b1, grad_b2 = load(sums, 5 * k), load(sums, 5 * k + 1), load(sums, 5 * k + 2)
    grad_a1, grad_a2 = load(sums, 5 * k + 3), load(sums, 5 * k + 4)
    for n in range(count - 1, -1, -1):
        u, y = load(source, n), load(target, n)
        v = load(tile, n) - a2 * v2 - a1 * v1
        store(tile, n, b2 * v2 + b1 * v1 + b0 * v)
        grad_b0, grad_b1, grad_b2 = grad_b0 + v * u, grad_b1 + v1 * u, grad_b2 + v2 * u
        grad_a1, grad_a2 = grad_a1 - v1 * y, grad_a2 - v2 * y
        v1, v2 = v, v1
    store(adjoint, 2 * k, v1 + tiny - tiny)
    store(adjoint, 2 * k + 1, v2 + tiny - tiny)
    store(sums, 5 * k, grad_b0)
    store(sums, 5 * k + 1, grad_b1)
    store(sums, 5 * k + 2, grad_b2)
    store(sums, 5 * k + 3, grad_a1)
    store(sums, 5 * k + 4, grad_a2)


@part
def _collect(sums: Any, grad_sos: Any, rows: int, first: int, active: int, cut: int) -> None:
    """Add the sums of the lanes to the gradients of their groups, and set them to zero."""
    for i in range(sums.shape[0]):
        column = i % 5 if i % 5 < 3 else i % 5 + 1
        for lane in range(active):
            group = (first + lane) // cut * grad_sos.shape[0] // rows
            grad_sos[group, i // 5, column] += sums[i, lane]
        store(sums, i, splat(0.0))


@part
def _link(lanes: Any, outer: Any, sos: Any, stretches: int, length: int, reverse: bool) -> None:
    """Turn what each stretch ends with after silence into what it truly starts with, in place.

    `lanes` [rows * stretches, order], `outer` [rows, order] what the first stretch of a row starts with.
    In reverse, starts are ends, the first is the last, and the matrix is transposed.
    """
    rows, order = outer.shape
    power, here, passed = np.zeros((order, order)), np.zeros(order), np.zeros(order)
    for row in range(rows):
        if row % (rows // sos.shape[0]) == 0:
            _transition(power, sos, row * sos.shape[0] // rows, length)
        for i in range(order):
            here[i] = outer[row, i]
        for stretch in range(stretches):
            lane = row * stretches + (stretches - 1 - stretch if reverse else stretch)
            for i in range(order):
                passed[i] = lanes[lane, i]
                for j in range(order):
                    passed[i] += (power[j, i] if reverse else power[i, j]) * here[j]
            for i in range(order):
                lanes[lane, i] = here[i]
                here[i] = passed[i]


@part
def _transition(power: Any, sos: Any, group: int, length: int) -> None:
    """Write the matrix that takes a cascade's state on by `length` samples of silence, by squaring."""
    order = power.shape[0]
    matrix, product = np.zeros((order, order)), np.zeros((order, order))
    for column in range(order):
        u = 0.0
        for k in range(order // 2):
            y = sos[group, k, 0] * u + (1.0 if column == 2 * k else 0.0)
            passed = 1.0 if column == 2 * k + 1 else 0.0
            matrix[2 * k, column] = sos[group, k, 1] * u - sos[group, k, 4] * y + passed
            matrix[2 * k + 1, column] = sos[group, k, 2] * u - sos[group, k, 5] * y
            u = y
        for i in range(order):
            power[i, column] = 1.0 if i == column else 0.0
    # Two products per binary digit: the power so far by the matrix where the digit is set, then the square.
    for step in range(2 * 40):
        squaring = step % 2 == 1
        digits = length >> (step // 2)
        if digits == 0 or (not squaring and digits & 1 == 0):
            continue
        for i in range(order):
            for k in range(order):
                total = 0.0
                for j in range(order):
                    total += (matrix[i, j] if squaring else power[i, j]) * matrix[j, k]
                product[i, k] = total
        for i in range(order):
            for k in range(order):
                if squaring:
                    matrix[i, k] = product[i, k]
                else:
                    power[i, k] = product[i, k]
