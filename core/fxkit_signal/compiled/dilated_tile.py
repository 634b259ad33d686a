"""Tiles of samples for the dilated convolution: what its taps read is brought together, and multiplied.

A tensor is (address, numbers from item to item, numbers from row to row); samples of a row are neighbours.
"""

from __future__ import annotations

from typing import Any

import numpy as np

from fxkit_signal.compiled.lanes import part
from fxkit_signal.compiled.vectors import (
    ROWS,
    SIDE,
    STRIP,
    WIDTH,
    advance,
    begin,
    clear,
    correlate,
    finish,
    gather_in,
    get,
    move,
    nothing,
    numbers_at,
    total,
)

# Samples per tile at most, and numbers that a tile may bring together, so that they stay near.
_LONGEST, _ROOM = 1024, 1 << 17
_BYTES = 4


@part
def whole(count: int, size: int) -> int:
    """Return the next multiple of a size."""
    return -(-count // size) * size


@part
def plan(inputs: int, taps: int, dilation: int, samples: int) -> Any:
    """Return the samples of a tile, how far apart taps read, how far rows are, and the room for all."""
    length = min(_LONGEST, _ROOM // (whole(inputs, SIDE) * taps) // STRIP * STRIP)
    return plan_for(max(min(length, whole(samples, STRIP)), STRIP), inputs, taps, dilation)


@part
def plan_for(length: int, inputs: int, taps: int, dilation: int) -> Any:
    """Return the same for a length.

    Near taps read one stretch of each row at shifted places. Far ones have a stretch each.
    """
    rows, reach = whole(inputs, SIDE), (taps - 1) * dilation
    if reach + length <= taps * length:
        stride = whole(length + reach, WIDTH)
        return length, dilation, stride, rows * stride
    return length, rows * length, length, rows * length * taps


@part
def columns_of(weight: int, outputs: int, inputs: int, taps: int) -> Any:
    """Return the weights in the order in which the product needs them, ROWS outputs at a time."""
    own = numbers_at(weight, outputs * inputs * taps)
    columns = np.zeros(whole(outputs, ROWS) * inputs * taps, np.float32)
    for o in range(outputs):
        for c in range(inputs):
            for k in range(taps):
                block = (o // ROWS * taps + k) * inputs + c
                columns[block * ROWS + o % ROWS] = own[(o * inputs + c) * taps + k]
    return columns


@part
def turned_columns_of(weight: int, outputs: int, inputs: int, taps: int) -> Any:
    """Return the weights for the way back: inputs are summed over outputs, taps run backwards."""
    own = numbers_at(weight, outputs * inputs * taps)
    columns = np.zeros(whole(inputs, ROWS) * outputs * taps, np.float32)
    for o in range(outputs):
        for c in range(inputs):
            for k in range(taps):
                block = (c // ROWS * taps + taps - 1 - k) * outputs + o
                columns[block * ROWS + c % ROWS] = own[(o * inputs + c) * taps + k]
    return columns


@part
def row_of(tensor: Any, item: int, row: int, count: int) -> Any:
    """Return the first numbers of a row where they stand."""
    return numbers_at(tensor[0] + (item * tensor[1] + row * tensor[2]) * _BYTES, count)


@part
def bring(
    line: Any, taps: int, hop: int, stride: int, dilation: int, past: Any, reach: int, signal: Any, item: int,
    rows: int, samples: int, start: int, length: int,
) -> None:  # fmt: skip
    """Bring what the taps read for a tile that starts at a sample of past ++ signal; around it is silence."""
    near = taps == 1 or hop < stride
    for row in range(rows):
        before, after = row_of(past, item, row, reach), row_of(signal, item, row, samples)
        if near:
            _stretch(line, row * stride, before, after, start, stride)
        else:
            for tap in range(taps):
                _stretch(line, tap * hop + row * stride, before, after, start + tap * dilation, length)


@part
def _stretch(line: Any, at: int, before: Any, row: Any, start: int, count: int) -> None:
    """Bring `count` samples of before ++ row from `start` on, which may begin before and end behind them."""
    reach, end = before.size, before.size + row.size
    stop = start + count
    silent = min(max(-start, 0), count)
    old = min(max(start, 0), reach), min(max(stop, 0), reach)
    new = min(max(start, reach), end), min(max(stop, reach), end)
    clear(line, at, silent)
    at += silent
    move(line, at, before, old[0], old[1] - old[0])
    at += old[1] - old[0]
    move(line, at, row, new[0] - reach, new[1] - new[0])
    at += new[1] - new[0]
    clear(line, at, count - silent - (old[1] - old[0]) - (new[1] - new[0]))


@part
def multiply(
    tile: Any,
    length: int,
    starts: Any,
    columns: Any,
    line: Any,
    taps: int,
    hop: int,
    stride: int,
    inputs: int,
) -> None:
    """Fill a tile [rows, length] with the product of the weights and what the taps read."""
    for n in range(0, length, STRIP):
        at = 0
        for row in range(0, starts.size, ROWS):
            sums = begin(starts, row)
            for tap in range(taps):
                place = tap * hop + n
                for _ in range(inputs):
                    sums = advance(sums, columns, at, line, place)
                    at += ROWS
                    place += stride
            finish(sums, tile, row * length + n, length)


@part
def correlate_tile(
    sums: Any, tile: Any, length: int, rows: int, line: Any, taps: int, hop: int, stride: int, inputs: int
) -> None:
    """Add the products of a tile [rows, length] with what the taps read, summed over time, to `sums`."""
    at = 0
    for tap in range(taps):
        for o in range(0, rows, SIDE):
            for c in range(0, inputs, SIDE):
                square = nothing()
                for n in range(0, length, WIDTH):
                    place = tap * hop + c * stride + n
                    square = correlate(square, tile, o * length + n, length, line, place, stride)
                gather_in(square, sums, at)
                at += SIDE * SIDE * WIDTH


@part
def collect(sums: Any, rows: int, outputs: int, inputs: int, taps: int) -> Any:
    """Return the gradient of the weights [outputs, inputs, taps], flat, from its sums."""
    found = np.zeros(outputs * inputs * taps, np.float32)
    across = whole(inputs, SIDE)
    for o in range(outputs):
        for c in range(inputs):
            for k in range(taps):
                square = (k * (rows // SIDE) + o // SIDE) * (across // SIDE) + c // SIDE
                at = (square * SIDE + o % SIDE) * SIDE + c % SIDE
                found[(o * inputs + c) * taps + k] = total(get(sums, at * WIDTH))
    return found
