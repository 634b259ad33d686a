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
    ENTRY,
    HEARD,
    INPUTS,
    KEPT,
    KEPT_HEAD,
    LAYERS,
    ONWARD,
    OUTPUTS,
    PAST,
    PAST_HEAD,
    TAPS,
    TAPS_HEAD,
    WIDE,
    gather,
    product,
)
from fxkit_signal.compiled.vectors import clear, move, numbers_at

_BYTES = 4

# Columns of the plans for the way back: places of turned weights, of rows, and of sums.
ENTRY_BACK, HEAD_BACK, ROW_ENTRY, ROW_HEAD, ROW_PUSH, SUM_ENTRY, SUM_HEAD, SUM_HEAD_BIAS = range(8)
BACK, ONWARD_BACK, MIX_BACK, ROW, ROW_BENT, SUM, SUM_MIX, SUM_ONWARD, SUM_ONWARD_BIAS = range(9)


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
def lay(rows: Any, place: int, stride: int, tile: Any, count: int, length: int) -> None:
    """Copy the rows of a tile to long rows."""
    for row in range(count):
        move(rows, place + row * stride, tile, row * length, length)


@part
def _lay_past(
    inputs: Any, row: int, stride: int, spot: int, past: Any, item: int, place: int, rows: int, reach: int
) -> None:
    """Copy what was before the first sample, which lies at `spot`, as far as there is room for it."""
    count = min(reach, spot)
    for r in range(rows if count > 0 else 0):
        old = flat_of(past, item, place + r * reach, reach)
        move(inputs, (row + r) * stride + spot - count, old, reach - count, count)


@part
def recall(
    inputs: Any, stride: int, lead: int, flow: Any, more: Any, spots: Any, reading: Any, past: Any, kept: int,
    forward: Any, turned: Any, item: int, begin: int, end: int, samples: int, length: int, reads: int,
    keeps: int,
) -> None:  # fmt: skip
    """Fill the rows of inputs for some stretches, and what the taps of the first of them read."""
    numbers, arrays, layers = forward
    stretches = -(-samples // length)
    for stretch in range(max(begin - lead // length, 0), end):
        start, here = stretch * length, lead + (stretch - begin) * length
        held = kept + (item * stretches + stretch) * keeps * length * _BYTES
        bring(flow, reading, item, reads, start, min(length, samples - start), length)
        layer, spots[0] = 0, 0
        for a in range(arrays.shape[0]):
            array, plan = arrays[a], turned[1][a]
            lay(inputs, plan[ROW_ENTRY] * stride + here, stride, flow, array[INPUTS], length)
            product(
                more, length, numbers, array[ENTRY], array[CHANNELS], flow, spots, 1, length, array[INPUTS],
                flow, 0,
            )  # fmt: skip
            move(flow, 0, more, 0, array[CHANNELS] * length)
            for _ in range(array[LAYERS]):
                own = layers[layer]
                lay(inputs, turned[2][layer, ROW] * stride + here, stride, flow, array[CHANNELS], length)
                if own[ONWARD]:
                    bent = numbers_at(held + own[KEPT] * length * _BYTES, array[HEARD] * length)
                    product(
                        more, length, numbers, own[ONWARD], array[CHANNELS], bent, spots, 1, length,
                        array[HEARD], bent, 0,
                    )  # fmt: skip
                    gather(flow, more, array[CHANNELS] * length)
                layer += 1
            summed = numbers_at(held + array[KEPT_HEAD] * length * _BYTES, array[HEARD] * length)
            lay(inputs, plan[ROW_HEAD] * stride + here, stride, summed, array[HEARD], length)
    spot, layer = lead - begin * length, 0
    for a in range(arrays.shape[0] if spot > 0 else 0):
        array = arrays[a]
        for _ in range(array[LAYERS]):
            own = layers[layer]
            reach, row = (own[TAPS] - 1) * own[DILATION], turned[2][layer, ROW]
            _lay_past(inputs, row, stride, spot, past, item, own[PAST], array[CHANNELS], reach)
            layer += 1
        row, reach = turned[1][a, ROW_HEAD], array[TAPS_HEAD] - 1
        _lay_past(inputs, row, stride, spot, past, item, array[PAST_HEAD], array[HEARD], reach)


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
            plan[HEAD_BACK], item, array[PAST_HEAD], array[HEARD], array[OUTPUTS], array[TAPS_HEAD], 1,
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
        product(more, length, numbers, at, rows, pushes, spots, taps, stride, wide, pushes, 0)
        for r in range(rows):
            there = flat_of(to_past, item, place + r * reach, reach)
            count = min(length, -start)
            move(there, start + reach, more, r * length, count)
            # What is still past after a short block.
            for n in range(max(start, samples - reach), start + count if late[0] else start):
                there[n + reach] += flat_of(late, item, place + r * reach, reach)[n - samples + reach]
