"""Rows of samples that are long enough for all taps to be read where they stand, on the way back.

In a row the first sample of the present stretches lies behind room for the longest memory. Tensors come as
(address, numbers from item to item, numbers from row to row), flat ones as the first two of these.
"""

from __future__ import annotations

from typing import Any

from fxkit_signal.compiled.lanes import part
from fxkit_signal.compiled.layer_stack import (
    CHANNELS,
    DILATION,
    HEARD,
    LAYERS,
    ONE,
    OUTPUTS,
    PAST,
    PAST_HEAD,
    ROW,
    ROW_HEAD,
    TAPS,
    TAPS_HEAD,
    WIDE,
    ZERO,
    product,
)
from fxkit_signal.compiled.vectors import clear, move, numbers_at

_BYTES = 4

# Columns of the plans for the way back: places of turned weights, of rows, and of sums.
ENTRY_BACK, HEAD_BACK, ROW_PUSH, SUM_ENTRY, SUM_HEAD, SUM_HEAD_BIAS = range(6)
BACK, ONWARD_BACK, MIX_BACK, ROW_BENT, SUM, SUM_MIX, SUM_ONWARD, SUM_ONWARD_BIAS = range(8)


@part
def row_of(tensor: Any, item: int, row: int, count: int) -> Any:
    """Return the first numbers of a row where they stand."""
    return numbers_at(tensor[0] + (item * tensor[1] + row * tensor[2]) * _BYTES, count)


@part
def flat_of(tensor: Any, item: int, place: int, count: int) -> Any:
    """Return numbers of a flat item where they stand."""
    return numbers_at(tensor[0] + (item * tensor[1] + place) * _BYTES, count)


@part
def bring(tile: Any, tensor: Any, item: int, rows: int, start: int, count: int, length: int) -> None:
    """Fill rows of a tile, with silence behind the end."""
    for row in range(rows):
        move(tile, row * length, row_of(tensor, item, row, start + count), start, count)
        clear(tile, row * length + count, length - count)


@part
def lay_past(inputs: Any, stride: int, lead: int, before: int, arrays: Any, layers: Any) -> None:
    """Copy what is past before the present stretches in front of them."""
    layer = 0
    for a in range(arrays.shape[0]):
        array = arrays[a]
        for _ in range(array[LAYERS]):
            own = layers[layer]
            reach = (own[TAPS] - 1) * own[DILATION]
            _lay_rows(inputs, own[ROW], stride, lead, before, own[PAST], array[CHANNELS], reach)
            layer += 1
        reach = array[TAPS_HEAD] - 1
        _lay_rows(inputs, array[ROW_HEAD], stride, lead, before, array[PAST_HEAD], array[HEARD], reach)


@part
def _lay_rows(
    inputs: Any, row: int, stride: int, lead: int, before: int, place: int, rows: int, reach: int
) -> None:
    old = numbers_at(before + place * _BYTES, rows * reach)
    for r in range(rows):
        move(inputs, (row + r) * stride + lead - reach, old, r * reach, reach)


@part
def add_late(
    tile: Any, late: Any, item: int, place: int, rows: int, reach: int, samples: int, start: int, count: int,
    length: int,
) -> None:  # fmt: skip
    """Add the gradient of what is past after the block, to its last samples."""
    begin = max(samples - reach, start)
    for row in range(rows if late[0] else 0):
        given = flat_of(late, item, place + row * reach, reach)
        for n in range(begin, start + count):
            tile[row * length + n - start] += given[n - samples + reach]


@part
def reach_back(
    pushes: Any, stride: int, lead: int, more: Any, spots: Any, late: Any, to_past: Any, forward: Any,
    turned: Any, item: int, samples: int, length: int,
) -> None:  # fmt: skip
    """Write the gradient of what was past; the rows hold the gradients from the first sample on."""
    _, arrays, layers = forward
    layer = 0
    for a in range(arrays.shape[0]):
        array, plan = arrays[a], turned[1][a]
        for _ in range(array[LAYERS]):
            own, places = layers[layer], turned[2][layer]
            _reach(
                pushes, places[ROW_BENT] * stride + lead, stride, more, spots, late, to_past, turned[0],
                places[BACK], item, own[PAST], array[CHANNELS], array[WIDE], own[TAPS], own[DILATION],
                samples, length,
            )  # fmt: skip
            layer += 1
        _reach(
            pushes, plan[ROW_PUSH] * stride + lead, stride, more, spots, late, to_past, turned[0],
            plan[HEAD_BACK], item, array[PAST_HEAD], array[HEARD], array[OUTPUTS], array[TAPS_HEAD], ONE,
            samples, length,
        )  # fmt: skip


@part
def _reach(
    pushes: Any, row: int, stride: int, more: Any, spots: Any, late: Any, to_past: Any, numbers: Any, at: int,
    item: int, place: int, rows: int, wide: int, taps: int, dilation: int, samples: int, length: int,
) -> None:  # fmt: skip
    reach = (taps - 1) * dilation
    for start in range(-reach, 0, length):
        for tap in range(taps):
            spots[tap] = row + start + tap * dilation
        product(more, length, numbers, at, rows, pushes, spots, taps, stride, wide, pushes, ZERO)
        for r in range(rows):
            there = flat_of(to_past, item, place + r * reach, reach)
            count = min(length, -start)
            move(there, start + reach, more, r * length, count)
            # What is still past after a short block.
            for n in range(max(start, samples - reach), start + count if late[0] else start):
                there[n + reach] += flat_of(late, item, place + r * reach, reach)[n - samples + reach]
