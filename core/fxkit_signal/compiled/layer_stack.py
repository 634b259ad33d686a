"""Arrays of dilated layers whose sum is heard, compiled: all layers of a stretch of samples in one call.

What a layer computes is described in `fxkit_signal.compiled.dilated`; here it stays in tiles that are near
enough to be read again by the next layer. Each item's past is one row: that of each layer's input, channel by
channel, and after the layers of an array that of what they sum to.
"""

from __future__ import annotations

from typing import Any

import numpy as np

from fxkit_signal.compiled.activation import GATED, SIGMOID, TANH, bend
from fxkit_signal.compiled.kernel import kernel
from fxkit_signal.compiled.lanes import part
from fxkit_signal.compiled.vectors import (
    ROWS,
    STRIP,
    WIDTH,
    advance,
    begin,
    clear,
    finish,
    get,
    move,
    numbers_at,
    put,
)

# Samples that go through all layers before the next ones do.
LONGEST = 256
_BYTES = 4

# Columns of the plans.
CHANNELS, INPUTS, HEARD, WIDE, CODE, LAYERS, TAPS_HEAD, OUTPUTS, ENTRY, HEAD, PAST_HEAD = range(11)
ROW_ENTRY, ROW_HEAD = 11, 12
TAPS, DILATION, PLACE, PAST, ONWARD, KEPT, ROW = range(7)
# Each function is compiled once for numbers such as these, and once more for a constant of Python.
ZERO, ONE = np.int64(0), np.int64(1)


@kernel("contract")
def run(
    reading: Any, past: Any, after: Any, out: Any, marks: int, span: int, numbers: Any, arrays: Any,
    layers: Any, sizes: Any, reads: int, samples: int, scale: float, first: int, stop: int,
) -> None:  # fmt: skip
    """Write the outputs of some items and the past after them.

    Where `marks` is, it receives what is past before each `span` of stretches but the first of an item.

    `numbers` holds all weights as `fxkit_signal.layer_stack.pack` lays them out, `arrays` and `layers` say
    what stands where; `sizes` are the rows of the widest tile, the most taps, the most numbers that taps
    read, in whole tiles and beside them, and those of a past.
    """
    length = min(LONGEST, whole(samples, STRIP))
    widest, most, tiles, beside, size = sizes
    heard = np.zeros(whole(reads, ROWS) * length, np.float32)
    room = np.zeros((4, widest * length), np.float32)
    line, spots = np.zeros(tiles * length + beside, np.float32), np.zeros(most, np.int64)
    # What is past between two stretches of one call; rows of inputs are of use on the way back alone.
    own = np.empty(2 * size if samples > length else 0, np.float32)
    nowhere = np.empty(0, np.float32)
    for item in range(first, stop):
        before = past[0] + item * past[1] * _BYTES
        for start in range(0, samples, length):
            count, stretch = min(length, samples - start), start // length
            behind = after[0] + item * after[1] * _BYTES
            if start + count < samples:
                behind = np.int64(own.ctypes.data) + stretch % 2 * size * _BYTES
            if marks and stretch and stretch % span == 0:
                move(numbers_at(marks, size), 0, numbers_at(before, size), 0, size)
                marks += size * _BYTES
            for row in range(reads):
                there = reading[0] + (item * reading[1] + row * reading[2] + start) * _BYTES
                move(heard, row * length, numbers_at(there, count), 0, count)
                clear(heard, row * length + count, length - count)
            through(
                heard, room, line, spots, length, count, before, behind, numbers, arrays, layers, reads,
                ZERO, nowhere, ZERO, ZERO,
            )  # fmt: skip
            total = room[0]
            for row in range(arrays[-1, OUTPUTS]):
                for n in range(row * length, row * length + count):
                    total[n] *= scale
                there = out[0] + (item * out[1] + row * out[2] + start) * _BYTES
                move(numbers_at(there, count), 0, total, row * length, count)
            before = behind


@part
def through(
    heard: Any, room: Any, line: Any, spots: Any, length: int, count: int, before: int, behind: int,
    numbers: Any, arrays: Any, layers: Any, reads: int, held: int, inputs: Any, stride: int, here: int,
) -> None:  # fmt: skip
    """Lead a stretch through all arrays, to the first tile of `room`, and leave what is past after it.

    Where `held` is, it receives of each layer what is heard, and of a gated one the gate behind it; and
    `inputs` the input of each layer, of each array and of its head, in rows, from `here` on.
    """
    total, flow, more, tile = room[0], room[1], room[2], room[3]
    move(flow, 0, heard, 0, reads * length)
    clear(total, 0, total.size)
    layer = 0
    for a in range(arrays.shape[0]):
        array = arrays[a]
        if held:
            lay(inputs, array[ROW_ENTRY] * stride + here, stride, flow, array[INPUTS], length)
        move(more, 0, flow, 0, array[INPUTS] * length)
        spots[0] = 0
        product(
            flow, length, numbers, array[ENTRY], array[CHANNELS], more, spots, ONE, length, array[INPUTS],
            more, ZERO,
        )  # fmt: skip
        for _ in range(array[LAYERS]):
            own = layers[layer]
            if held:
                lay(inputs, own[ROW] * stride + here, stride, flow, array[CHANNELS], length)
            _layer(
                flow, more, tile, total, line, spots, length, count, heard, reads, before, behind, numbers,
                array, own,
            )  # fmt: skip
            if held:
                kept = numbers_at(held + own[KEPT] * length * _BYTES, array[WIDE] * length)
                move(kept, 0, tile, 0, kept.size)
            layer += 1
        if held:
            lay(inputs, array[ROW_HEAD] * stride + here, stride, total, array[HEARD], length)
        taps, outputs = array[TAPS_HEAD], array[OUTPUTS]
        apart = _taps(
            line, spots, taps, ONE, total, array[HEARD], length, count, before, behind, array[PAST_HEAD]
        )
        product(
            total,
            length,
            numbers,
            array[HEAD],
            outputs,
            line,
            spots,
            taps,
            apart,
            array[HEARD],
            line,
            ZERO,
        )


@part
def lay(rows: Any, place: int, stride: int, tile: Any, count: int, length: int) -> None:
    """Copy the rows of a tile to long rows."""
    for row in range(count):
        move(rows, place + row * stride, tile, row * length, length)


@part
def product(
    tile: Any, length: int, numbers: Any, at: int, outputs: int, line: Any, spots: Any, taps: int,
    stride: int, inputs: int, beside: Any, others: int,
) -> None:  # fmt: skip
    """Fill a tile with a bias plus the product of weights with what taps read, and with the rows `beside`."""
    rows = whole(outputs, ROWS)
    for n in range(0, length, STRIP):
        column = at + rows
        for row in range(0, rows, ROWS):
            sums = begin(numbers, at + row)
            for tap in range(taps):
                place = spots[tap] + n
                for _ in range(inputs):
                    sums = advance(sums, numbers, column, line, place)
                    column += ROWS
                    place += stride
            for r in range(others):
                sums = advance(sums, numbers, column, beside, r * length + n)
                column += ROWS
            finish(sums, tile, row * length + n, length)


@part
def _taps(
    line: Any, spots: Any, taps: int, dilation: int, source: Any, rows: int, length: int, count: int,
    before: int, behind: int, place: int,
) -> int:  # fmt: skip
    """Bring what the taps read, leave the past of the next stretch, and return the distance of rows."""
    reach = (taps - 1) * dilation
    near = reach + length <= taps * length
    stride = whole(length + reach, WIDTH) if near else length
    for tap in range(taps):
        spots[tap] = tap * dilation if near else tap * rows * length
    for row in range(rows):
        old = numbers_at(before + (place + row * reach) * _BYTES, reach)
        new = numbers_at(np.int64(source.ctypes.data) + row * length * _BYTES, count)
        for tap in range(1 if near else taps):
            at, start = (row * stride, 0) if near else (spots[tap] + row * length, tap * dilation)
            _bring(line, at, old, new, start, stride)
        kept = numbers_at(behind + (place + row * reach) * _BYTES, reach)
        move(kept, 0, old, min(count, reach), max(reach - count, 0))
        move(kept, max(reach - count, 0), new, max(count - reach, 0), min(count, reach))
    return stride


@part
def _layer(
    flow: Any, more: Any, tile: Any, total: Any, line: Any, spots: Any, length: int, count: int, heard: Any,
    reads: int, before: int, behind: int, numbers: Any, array: Any, layer: Any,
) -> None:  # fmt: skip
    """Convolve, add what is read, bend, add to the sum, and pass on."""
    channels, wide, taps = array[CHANNELS], array[WIDE], layer[TAPS]
    stride = _taps(
        line, spots, taps, layer[DILATION], flow, channels, length, count, before, behind, layer[PAST]
    )
    product(tile, length, numbers, layer[PLACE], wide, line, spots, taps, stride, channels, heard, reads)
    _bend(tile, length, wide, array[CODE])
    gather(total, tile, array[HEARD] * length)
    if layer[ONWARD]:
        spots[0] = 0
        product(
            more,
            length,
            numbers,
            layer[ONWARD],
            channels,
            tile,
            spots,
            ONE,
            length,
            array[HEARD],
            tile,
            ZERO,
        )
        gather(flow, more, channels * length)


@part
def gather(total: Any, tile: Any, count: int) -> None:
    """Add the first numbers of a tile to those of another."""
    for n in range(0, count, WIDTH):
        put(total, n, get(total, n) + get(tile, n))


@part
def whole(count: int, size: int) -> int:
    """Return the next multiple of a size."""
    return -(-count // size) * size


@part
def _bring(line: Any, at: int, old: Any, new: Any, start: int, count: int) -> None:
    """Copy `count` samples of old ++ new from `start` on; behind the end is silence."""
    left = min(max(old.size - start, 0), count)
    begins = max(start - old.size, 0)
    right = min(new.size - begins, count - left)
    move(line, at, old, start, left)
    move(line, at + left, new, begins, right)
    clear(line, at + left + right, count - left - right)


@part
def _bend(tile: Any, length: int, rows: int, code: int) -> None:
    """Apply the activation; of "gated" the first half of the rows receives the product, the other gates."""
    half = rows // 2 * length if code == GATED else rows * length
    own = TANH if code == GATED else code
    for n in range(0, half, WIDTH):
        bent = bend(get(tile, n), own)
        if code == GATED:
            gate = bend(get(tile, half + n), SIGMOID)
            put(tile, half + n, gate)
            bent = bent * gate
        put(tile, n, bent)
