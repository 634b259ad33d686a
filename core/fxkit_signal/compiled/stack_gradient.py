"""Gradients of arrays of dilated layers, compiled: all layers of a stretch of samples, last to first.

The forward pass kept what each layer gave to the head. What came into each layer follows from that by the 1x1
convolutions alone, so it is computed again, some stretches at a time (Chen et al., Training deep nets with
sublinear memory cost, 2016), in rows long enough for all taps to be read where they stand. The gradients
before the activations lie in such rows too: those of later stretches are known when a stretch is done.
"""

from __future__ import annotations

from typing import Any

import numpy as np

from fxkit_signal.compiled.activation import GATED
from fxkit_signal.compiled.kernel import kernel
from fxkit_signal.compiled.lanes import part
from fxkit_signal.compiled.layer_stack import (
    CHANNELS,
    CODE,
    DILATION,
    HEARD,
    INPUTS,
    KEPT,
    LAYERS,
    LONGEST,
    ONE,
    ONWARD,
    OUTPUTS,
    PAST,
    PAST_HEAD,
    ROW,
    ROW_ENTRY,
    ROW_HEAD,
    TAPS,
    TAPS_HEAD,
    WIDE,
    ZERO,
    gather,
    lay,
    product,
    through,
    whole,
)
from fxkit_signal.compiled.stack_rows import (
    BACK,
    ENTRY_BACK,
    HEAD_BACK,
    MIX_BACK,
    ONWARD_BACK,
    ROW_BENT,
    ROW_PUSH,
    SUM,
    SUM_ENTRY,
    SUM_HEAD,
    SUM_HEAD_BIAS,
    SUM_MIX,
    SUM_ONWARD,
    SUM_ONWARD_BIAS,
    add_late,
    bring,
    lay_past,
    reach_back,
    row_of,
)
from fxkit_signal.compiled.stack_sums import add_up, collected, learn, straighten, straighten_gated
from fxkit_signal.compiled.vectors import SIDE, STRIP, WIDTH, clear, move, numbers_at

_BYTES = 4


@kernel("contract")
def backward(
    grad: Any, late: Any, reading: Any, past: Any, marks: int, span: int, to_reading: Any, to_past: Any,
    forward: Any, turned: Any, found: Any, sizes: Any, rows: Any, samples: int, scale: float, learns: bool,
    first: int, stop: int,
) -> Any:  # fmt: skip
    """Write the gradients of some items; return those of the weights, one after another, over the items.

    `grad` is that of the output and `late` that of the past after it, which may be nowhere. `forward` and
    `turned` are (numbers, arrays, layers), the first with its `sizes`; `found` lists the gradients. `rows`
    are those of inputs and of gradients, the longest memory in samples, the numbers of all sums, the rows
    of what is heard and the channels of the reading.
    """
    widest, most, taken, beside, size = sizes
    ins, outs, reach, room, keeps, reads = rows
    length = min(LONGEST, whole(samples, STRIP))
    stretches, lead = -(-samples // length), whole(reach, length)
    # Rows whose distance is an odd number of vectors do not fall on the same places of a cache.
    stride = (whole(2 * lead + span * length, WIDTH) // WIDTH | 1) * WIDTH
    # Squares of sums may read beyond the last row; what they find there is not asked for.
    inputs = np.zeros((ins + SIDE) * stride, np.float32)
    pushes = np.zeros((outs + SIDE) * stride, np.float32)
    kept = np.zeros((span * keeps + SIDE) * length, np.float32)
    tiles = np.zeros((5, widest * length), np.float32)
    heard = np.zeros(whole(reads + 1, SIDE) * length, np.float32)
    line, pasts = np.zeros(taken * length + beside, np.float32), np.zeros((2, size), np.float32)
    sums, spots = np.zeros(room, np.float32), np.zeros(most, np.int64)
    for n in range(reads * length, (reads + 1) * length):
        heard[n] = 1
    flow, total_to, pushed, more, back = tiles[0], tiles[1], tiles[2], tiles[3], tiles[4]
    numbers, arrays, layers = forward
    outputs = arrays[-1, OUTPUTS]
    for item in range(first, stop):
        clear(pushes, 0, pushes.size)
        for begin in range((stretches - 1) // span * span, -1, -span):
            end = min(begin + span, stretches)
            before = past[0] + item * past[1] * _BYTES
            if begin:
                before = marks + (item * ((stretches - 1) // span) + begin // span - 1) * size * _BYTES
            lay_past(inputs, stride, lead, before, arrays, layers)
            for stretch in range(begin, end):
                start, behind = stretch * length, np.int64(pasts[stretch % 2].ctypes.data)
                count, here = min(length, samples - start), lead + (stretch - begin) * length
                held = np.int64(kept.ctypes.data) + (stretch - begin) * keeps * length * _BYTES
                bring(heard, reading, item, reads, start, count, length)
                through(
                    heard, tiles, line, spots, length, count, before, behind, numbers, arrays, layers, reads,
                    held, inputs, stride, here,
                )  # fmt: skip
                before = behind
            for stretch in range(end - 1, begin - 1, -1):
                start = stretch * length
                count, here = min(length, samples - start), lead + (stretch - begin) * length
                held = np.int64(kept.ctypes.data) + (stretch - begin) * keeps * length * _BYTES
                bring(heard, reading, item, reads, start, count, length)
                bring(pushed, grad, item, outputs, start, count, length)
                for n in range(outputs * length):
                    pushed[n] *= scale
                clear(flow, 0, flow.size)
                clear(back, 0, back.size)
                layer = layers.shape[0]
                for a in range(arrays.shape[0] - 1, -1, -1):
                    array, plan = arrays[a], turned[1][a]
                    _head(
                        total_to, pushed, inputs, pushes, stride, here, sums, spots, length, turned[0], array,
                        plan, learns,
                    )  # fmt: skip
                    add_late(
                        total_to, late, item, array[PAST_HEAD], array[HEARD], array[TAPS_HEAD] - 1, samples,
                        start, count, length,
                    )  # fmt: skip
                    for _ in range(array[LAYERS]):
                        layer -= 1
                        own, places = layers[layer], turned[2][layer]
                        _layer(
                            flow, total_to, more, back, heard, inputs, pushes, stride, here, held, sums,
                            spots, length, turned[0], array, own, places, reads, learns, to_reading[0] != 0,
                        )  # fmt: skip
                        add_late(
                            flow, late, item, own[PAST], array[CHANNELS], (own[TAPS] - 1) * own[DILATION],
                            samples, start, count, length,
                        )  # fmt: skip
                    spots[0] = array[ROW_ENTRY] * stride + here
                    if learns:
                        learn(
                            sums, plan[SUM_ENTRY], flow, ZERO, length, array[CHANNELS], inputs, spots, ONE,
                            stride, array[INPUTS], length,
                        )  # fmt: skip
                    spots[0] = 0
                    product(
                        more, length, turned[0], plan[ENTRY_BACK], array[INPUTS], flow, spots, ONE, length,
                        array[CHANNELS], flow, ZERO,
                    )  # fmt: skip
                    move(flow, 0, more, 0, array[INPUTS] * length)
                    # The sum of an array begins with the head of the one before.
                    move(pushed, 0, total_to, 0, array[HEARD] * length)
                gather(back, flow, reads * length)
                for row in range(reads if to_reading[0] else 0):
                    move(row_of(to_reading, item, row, samples), start, back, row * length, count)
            if begin:
                for row in range(outs):
                    move(pushes, row * stride + lead + span * length, pushes, row * stride + lead, lead)
        if to_past[0]:
            reach_back(
                pushes, stride, lead, more, spots, late, to_past, forward, turned, item, samples, length
            )
    return collected(sums, found)


@part
def _head(
    total_to: Any, pushed: Any, inputs: Any, pushes: Any, stride: int, here: int, sums: Any, spots: Any,
    length: int, numbers: Any, array: Any, plan: Any, learns: bool,
) -> None:  # fmt: skip
    """Fill a tile with the gradient of the sum that a head convolves."""
    taps, outputs, own = array[TAPS_HEAD], array[OUTPUTS], plan[ROW_PUSH] * stride + here
    lay(pushes, own, stride, pushed, outputs, length)
    if learns:
        for tap in range(taps):
            spots[tap] = array[ROW_HEAD] * stride + here + tap - (taps - 1)
        learn(
            sums, plan[SUM_HEAD], pushed, ZERO, length, outputs, inputs, spots, taps, stride, array[HEARD],
            length,
        )  # fmt: skip
        add_up(sums, plan[SUM_HEAD_BIAS], pushed, outputs, length)
    for tap in range(taps):
        spots[tap] = own + tap
    product(
        total_to, length, numbers, plan[HEAD_BACK], array[HEARD], pushes, spots, taps, stride, outputs,
        pushes, ZERO,
    )  # fmt: skip


@part
def _layer(
    flow: Any, total_to: Any, more: Any, back: Any, heard: Any, inputs: Any, pushes: Any, stride: int,
    here: int, held: int, sums: Any, spots: Any, length: int, numbers: Any, array: Any, layer: Any,
    places: Any, reads: int, learns: bool, asked: bool,
) -> None:  # fmt: skip
    """Turn `flow`, the gradient of what a layer passes on, into that of what came in; sum up on the way."""
    channels, wide, count, taps = array[CHANNELS], array[WIDE], array[HEARD], layer[TAPS]
    bent = numbers_at(held + layer[KEPT] * length * _BYTES, wide * length)
    spots[0] = 0
    if layer[ONWARD]:
        if learns:
            learn(
                sums,
                places[SUM_ONWARD],
                flow,
                ZERO,
                length,
                channels,
                bent,
                spots,
                ONE,
                length,
                count,
                length,
            )
            add_up(sums, places[SUM_ONWARD_BIAS], flow, channels, length)
        product(
            more,
            length,
            numbers,
            places[ONWARD_BACK],
            count,
            flow,
            spots,
            ONE,
            length,
            channels,
            flow,
            ZERO,
        )
    else:
        clear(more, 0, count * length)
    own = places[ROW_BENT] * stride + here
    for row in range(count):
        if array[CODE] == GATED:
            straighten_gated(
                pushes, own + row * stride, count * stride, more, total_to, bent, row * length,
                count * length, length,
            )  # fmt: skip
        else:
            straighten(pushes, own + row * stride, more, total_to, bent, row * length, array[CODE], length)
    if learns:
        for tap in range(taps):
            late = (taps - 1 - tap) * layer[DILATION]
            spots[tap] = layer[ROW] * stride + here - late
        learn(sums, places[SUM], pushes, own, stride, wide, inputs, spots, taps, stride, channels, length)
        spots[0] = 0
        learn(sums, places[SUM_MIX], pushes, own, stride, wide, heard, spots, ONE, length, reads + 1, length)
    for tap in range(taps):
        spots[tap] = own + tap * layer[DILATION]
    product(more, length, numbers, places[BACK], channels, pushes, spots, taps, stride, wide, pushes, ZERO)
    gather(flow, more, channels * length)
    if asked:
        product(
            more, length, numbers, places[MIX_BACK], reads, pushes, spots, ONE, stride, wide, pushes, ZERO
        )
        gather(back, more, reads * length)
