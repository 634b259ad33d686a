"""The dilated convolution with bias, sum, activation and residual path, compiled: one pass over the samples.

out[o, n] = bend(sum over c, k of weight[o, c, k] joined[c, n + k dilation] + bias[o] + add[o, n]) + gain[o]
signal[o, n], with joined = past ++ signal. A tile of samples is brought together from where its taps
stand, which costs little beside the product, and then a block of outputs by time is summed in registers.

Tensors come as (address, numbers from item to item, numbers from row to row); an address of 0 says that there
is none. Samples of a row are neighbours. Everything is float32.
"""

from __future__ import annotations

from typing import Any

import numpy as np

from fxkit_signal.compiled.activation import GATED, SIGMOID, TANH, bend, steepness
from fxkit_signal.compiled.kernel import kernel
from fxkit_signal.compiled.lanes import part
from fxkit_signal.compiled.vectors import (
    ROWS,
    SIDE,
    STRIP,
    WIDTH,
    advance,
    begin,
    correlate,
    finish,
    gather_in,
    get,
    nothing,
    numbers_at,
    put,
    spread_out,
    total,
)

# Samples per tile at most, and numbers that a tile may bring together, so that they stay near.
_LONGEST, _ROOM = 1024, 1 << 17
_BYTES = 4


@kernel("contract")
def forward(
    signal: Any, past: Any, add: Any, still: bool, weight: int, bias: int, gain: int, out: Any, kept: Any,
    shape: Any, code: int, first: int, stop: int,
) -> None:  # fmt: skip
    """Write the outputs of some items, and for "gated" the gate where `kept` has room."""
    inputs, outputs, taps, dilation, samples = shape
    length, spots, stride, line = _plan(inputs, taps, dilation, samples)
    reach, half, columns = (taps - 1) * dilation, outputs // 2, _columns(weight, outputs, inputs, taps)
    starts = np.zeros(_whole(outputs, ROWS), np.float32)
    if bias:
        _move(starts, 0, numbers_at(bias, outputs), 0, outputs)
    tile, extra = np.zeros(starts.size * length, np.float32), np.zeros(length, np.float32)
    for item in range(first, stop):
        for start in range(0, samples, length):
            count = min(length, samples - start)
            _bring(line, spots, stride, dilation, past, reach, signal, item, inputs, samples, start, length)
            _multiply(tile, length, starts, columns, line, spots, stride, inputs)
            if add[0]:
                for o in range(outputs):
                    _sum(tile, o * length, extra, add, item, o, start, count, still)
            _bend(tile, length, outputs, code)
            if code == GATED:
                for o in range(half if kept[0] else 0):
                    _leave(tile, (half + o) * length, kept, item, o, start, count)
                _close(tile, length, half)
            if gain:
                _pass_by(tile, length, outputs, gain, line, spots[taps - 1], stride, inputs)
            for o in range(half if code == GATED else outputs):
                _leave(tile, o * length, out, item, o, start, count)


@kernel("contract")
def backward(
    grad: Any, bent: Any, gate: Any, signal: Any, past: Any, weight: int, gain: int, pre: Any, to_signal: Any,
    to_past: Any, shape: Any, code: int, wants_weight: bool, first: int, stop: int,
) -> Any:  # fmt: skip
    """Write the gradients of some items; return those of weight, bias and gain, summed over the items.

    `bent` is the output, `gate` what was kept beside it. `pre` receives the gradient before the activation,
    if that is asked for. The tiles are done last to first, so that what lies after each is known.
    """
    inputs, outputs, taps, dilation, samples = shape
    length, spots, stride, line = _plan(inputs, taps, dilation, samples)
    length, after_spots, after_stride, after = _plan_for(length, outputs, taps, dilation)
    reach, rows, across = (taps - 1) * dilation, _whole(outputs, SIDE), _whole(inputs, SIDE)
    turned, starts = (
        _turned_columns(weight, outputs, inputs, taps),
        np.zeros(_whole(inputs, ROWS), np.float32),
    )
    tile, extra = np.zeros(rows * length, np.float32), np.zeros(3 * length, np.float32)
    back, heard = np.zeros(starts.size * length, np.float32), spots[taps - 1]
    sums = np.zeros((rows * across * taps + 2 * rows) * WIDTH, np.float32)
    place_bias = rows * across * taps * WIDTH
    own = np.empty(0 if pre[0] else outputs * samples, np.float32)
    if not pre[0]:
        pre = own.ctypes.data, 0, samples
    for item in range(first, stop):
        for start in range((samples - 1) // length * length, -1, -length):
            count = min(length, samples - start)
            if wants_weight or gain:
                _bring(
                    line, spots, stride, dilation, past, reach, signal, item, inputs, samples, start, length
                )
            for o in range(outputs // 2 if code == GATED else 0):
                _straighten_gated(
                    tile,
                    extra,
                    length,
                    grad,
                    bent,
                    gate,
                    outputs // 2,
                    item,
                    o,
                    start,
                    count,
                    sums,
                    place_bias,
                )
            for o in range(0 if code == GATED else outputs):
                _straighten(
                    tile, extra, length, grad, bent, gain, line, heard + (o * stride if inputs > 1 else 0),
                    outputs, code, item, o, start, count, sums, place_bias + 2 * o * WIDTH,
                )  # fmt: skip
            for o in range(outputs):
                _leave(tile, o * length, pre, item, o, start, count)
            if wants_weight:
                _correlate(sums, tile, length, rows, line, spots, stride, across)
            if to_signal[0]:
                _bring(
                    after,
                    after_spots,
                    after_stride,
                    dilation,
                    pre,
                    0,
                    pre,
                    item,
                    outputs,
                    samples,
                    start,
                    length,
                )
                _multiply(back, length, starts, turned, after, after_spots, after_stride, outputs)
                if gain:
                    _pass_back(back, extra, length, grad, gain, item, outputs, inputs, start, count)
                for c in range(inputs):
                    _leave(back, c * length, to_signal, item, c, start, count)
        for start in range(-reach if to_past[0] else 0, 0, length):
            _bring(
                after, after_spots, after_stride, dilation, pre, 0, pre, item, outputs, samples, start, length
            )
            _multiply(back, length, starts, turned, after, after_spots, after_stride, outputs)
            for c in range(inputs):
                _leave(back, c * length, to_past, item, c, start + reach, min(length, -start))
    to_bias, to_gain = np.empty(outputs, np.float32), np.empty(outputs, np.float32)
    for o in range(outputs):
        to_bias[o] = total(get(sums, place_bias + 2 * o * WIDTH))
        to_gain[o] = total(get(sums, place_bias + (2 * o + 1) * WIDTH))
    return _collect(sums, rows, outputs, inputs, taps), to_bias, to_gain


@part
def _whole(count: int, size: int) -> int:
    """Return the next multiple of a size."""
    return -(-count // size) * size


@part
def _plan(inputs: int, taps: int, dilation: int, samples: int) -> Any:
    """Return the samples of a tile, where each tap reads, the distance of rows, and room for what is read."""
    length = min(_LONGEST, _ROOM // (_whole(inputs, SIDE) * taps) // STRIP * STRIP, _whole(samples, STRIP))
    return _plan_for(max(length, STRIP), inputs, taps, dilation)


@part
def _plan_for(length: int, inputs: int, taps: int, dilation: int) -> Any:
    """Return the same for a length.

    Near taps read one stretch of each row at shifted places. Far ones have a stretch each.
    """
    rows, reach = _whole(inputs, SIDE), (taps - 1) * dilation
    spots = np.empty(taps, np.int64)
    near = reach + length <= taps * length
    stride = _whole(length + reach, WIDTH) if near else length
    for tap in range(taps):
        spots[tap] = tap * dilation if near else tap * rows * length
    return length, spots, stride, np.zeros(rows * (stride if near else length * taps), np.float32)


@part
def _columns(weight: int, outputs: int, inputs: int, taps: int) -> Any:
    """Return the weights in the order in which the product needs them, ROWS outputs at a time."""
    own = numbers_at(weight, outputs * inputs * taps)
    columns = np.zeros(_whole(outputs, ROWS) * inputs * taps, np.float32)
    for o in range(outputs):
        for c in range(inputs):
            for k in range(taps):
                block = (o // ROWS * taps + k) * inputs + c
                columns[block * ROWS + o % ROWS] = own[(o * inputs + c) * taps + k]
    return columns


@part
def _turned_columns(weight: int, outputs: int, inputs: int, taps: int) -> Any:
    """Return the weights for the way back: inputs are summed over outputs, taps run backwards."""
    own = numbers_at(weight, outputs * inputs * taps)
    columns = np.zeros(_whole(inputs, ROWS) * outputs * taps, np.float32)
    for o in range(outputs):
        for c in range(inputs):
            for k in range(taps):
                block = (c // ROWS * taps + taps - 1 - k) * outputs + o
                columns[block * ROWS + c % ROWS] = own[(o * inputs + c) * taps + k]
    return columns


@part
def _row(tensor: Any, item: int, row: int, count: int) -> Any:
    return numbers_at(tensor[0] + (item * tensor[1] + row * tensor[2]) * _BYTES, count)


@part
def _move(line: Any, at: int, row: Any, begins: int, count: int) -> None:
    whole = count // WIDTH * WIDTH
    for n in range(0, whole, WIDTH):
        put(line, at + n, get(row, begins + n))
    for n in range(whole, count):
        line[at + n] = row[begins + n]


@part
def _clear(line: Any, at: int, count: int) -> None:
    for n in range(count):
        line[at + n] = 0


@part
def _bring(
    line: Any, spots: Any, stride: int, dilation: int, past: Any, reach: int, signal: Any, item: int,
    rows: int, samples: int, start: int, length: int,
) -> None:  # fmt: skip
    """Bring what the taps read for a tile that starts at a sample of past ++ signal; around it is silence."""
    near = spots.size == 1 or spots[1] < stride
    for row in range(rows):
        before, after = _row(past, item, row, reach), _row(signal, item, row, samples)
        if near:
            _stretch(line, row * stride, before, after, start, stride)
        else:
            for tap in range(spots.size):
                _stretch(line, spots[tap] + row * stride, before, after, start + tap * dilation, length)


@part
def _stretch(line: Any, at: int, before: Any, row: Any, start: int, count: int) -> None:
    """Bring `count` samples of before ++ row from `start` on, which may begin before and end behind them."""
    reach, end = before.size, before.size + row.size
    stop = start + count
    silent = min(max(-start, 0), count)
    old = min(max(start, 0), reach), min(max(stop, 0), reach)
    new = min(max(start, reach), end), min(max(stop, reach), end)
    _clear(line, at, silent)
    at += silent
    _move(line, at, before, old[0], old[1] - old[0])
    at += old[1] - old[0]
    _move(line, at, row, new[0] - reach, new[1] - new[0])
    at += new[1] - new[0]
    _clear(line, at, count - silent - (old[1] - old[0]) - (new[1] - new[0]))


@part
def _multiply(
    tile: Any, length: int, starts: Any, columns: Any, line: Any, spots: Any, stride: int, inputs: int
) -> None:
    """Fill a tile [rows, length] with the product of the weights and what the taps read."""
    for n in range(0, length, STRIP):
        at = 0
        for row in range(0, starts.size, ROWS):
            sums = begin(starts, row)
            for tap in range(spots.size):
                place = spots[tap] + n
                for _ in range(inputs):
                    sums = advance(sums, columns, at, line, place)
                    at += ROWS
                    place += stride
            finish(sums, tile, row * length + n, length)


@part
def _correlate(
    sums: Any, tile: Any, length: int, rows: int, line: Any, spots: Any, stride: int, inputs: int
) -> None:
    """Add the products of a tile [rows, length] with what the taps read, summed over time, to `sums`."""
    at = 0
    for tap in range(spots.size):
        for o in range(0, rows, SIDE):
            for c in range(0, inputs, SIDE):
                square = nothing()
                for n in range(0, length, WIDTH):
                    place = spots[tap] + c * stride + n
                    square = correlate(square, tile, o * length + n, length, line, place, stride)
                gather_in(square, sums, at)
                at += SIDE * SIDE * WIDTH


@part
def _collect(sums: Any, rows: int, outputs: int, inputs: int, taps: int) -> Any:
    """Return the gradient of the weights [outputs, inputs, taps], flat, from its sums."""
    found = np.zeros(outputs * inputs * taps, np.float32)
    across = _whole(inputs, SIDE)
    for o in range(outputs):
        for c in range(inputs):
            for k in range(taps):
                square = (k * (rows // SIDE) + o // SIDE) * (across // SIDE) + c // SIDE
                at = (square * SIDE + o % SIDE) * SIDE + c % SIDE
                found[(o * inputs + c) * taps + k] = total(get(sums, at * WIDTH))
    return found


@part
def _sum(
    tile: Any, at: int, extra: Any, add: Any, item: int, o: int, start: int, count: int, still: bool
) -> None:
    """Add a row of `add`, or its one number, to a row of a tile."""
    if still:
        own = spread_out(_row(add, item, o, 1)[0])
        for n in range(0, extra.size, WIDTH):
            put(tile, at + n, get(tile, at + n) + own)
    else:
        _move(extra, 0, _row(add, item, o, start + count), start, count)
        for n in range(0, extra.size, WIDTH):
            put(tile, at + n, get(tile, at + n) + get(extra, n))


@part
def _leave(tile: Any, at: int, tensor: Any, item: int, row: int, start: int, count: int) -> None:
    _move(_row(tensor, item, row, start + count), start, tile, at, count)


@part
def _bend(tile: Any, length: int, outputs: int, code: int) -> None:
    for o in range(outputs):
        own = code
        if code == GATED:
            own = TANH if o < outputs // 2 else SIGMOID
        for at in range(o * length, (o + 1) * length, WIDTH):
            put(tile, at, bend(get(tile, at), own))


@part
def _close(tile: Any, length: int, half: int) -> None:
    """Multiply the first half of the rows by the second."""
    for at in range(0, half * length, WIDTH):
        put(tile, at, get(tile, at) * get(tile, half * length + at))


@part
def _pass_by(
    tile: Any, length: int, outputs: int, gain: int, line: Any, spot: int, stride: int, inputs: int
) -> None:
    """Add the residual path."""
    gains = numbers_at(gain, outputs)
    for o in range(outputs):
        own, heard = spread_out(gains[o]), spot + (o * stride if inputs > 1 else 0)
        for n in range(0, length, WIDTH):
            put(tile, o * length + n, get(tile, o * length + n) + own * get(line, heard + n))


@part
def _near(extra: Any, at: int, tensor: Any, item: int, row: int, start: int, count: int, length: int) -> Any:
    """Return where `length` samples of a row can be read: there, or brought here when fewer remain."""
    there = _row(tensor, item, row, start + count)
    if count == length:
        return there, start
    _move(extra, at, there, start, count)
    _clear(extra, at + count, length - count)
    return extra, at


@part
def _straighten(
    tile: Any, extra: Any, length: int, grad: Any, bent: Any, gain: int, line: Any, heard: int, outputs: int,
    code: int, item: int, o: int, start: int, count: int, sums: Any, place: int,
) -> None:  # fmt: skip
    """Fill a row of a tile with the gradient before the activation, zero behind its end; sum it up."""
    pushed, p = _near(extra, 0, grad, item, o, start, count, length)
    values, v = _near(extra, length, bent, item, o, start, count, length)
    total_bias, total_gain = get(sums, place), get(sums, place + WIDTH)
    if gain:
        own_gain = spread_out(numbers_at(gain, outputs)[o])
        for n in range(0, length, WIDTH):
            g, x = get(pushed, p + n), get(line, heard + n)
            inner = g * steepness(get(values, v + n) - own_gain * x, code)
            total_bias, total_gain = total_bias + inner, total_gain + g * x
            put(tile, o * length + n, inner)
    else:
        for n in range(0, length, WIDTH):
            inner = get(pushed, p + n) * steepness(get(values, v + n), code)
            total_bias = total_bias + inner
            put(tile, o * length + n, inner)
    put(sums, place, total_bias)
    put(sums, place + WIDTH, total_gain)


@part
def _straighten_gated(
    tile: Any, extra: Any, length: int, grad: Any, bent: Any, gate: Any, half: int, item: int, o: int,
    start: int, count: int, sums: Any, place: int,
) -> None:  # fmt: skip
    """Fill the two rows of a gate with gradients: with z = t s, those of tanh t and of sigmoid s.

    s (1 - t^2) = s - z t and t s (1 - s) = z (1 - s). The gate is never zero, so that t = z / s.
    """
    pushed, p = _near(extra, 0, grad, item, o, start, count, length)
    values, v = _near(extra, length, bent, item, o, start, count, length)
    gates, s = _near(extra, 2 * length, gate, item, o, start, count, length)
    one = spread_out(np.float32(1))
    place += 2 * o * WIDTH
    other = place + 2 * half * WIDTH
    sum_tanh, sum_gate = get(sums, place), get(sums, other)
    for n in range(0, length, WIDTH):
        g, z, own = get(pushed, p + n), get(values, v + n), get(gates, s + n)
        # Behind the end of the signal the gate is brought as zero.
        to_tanh = g * (own - z * (z / (own + spread_out(np.float32(1e-38)))))
        to_gate = g * z * (one - own)
        sum_tanh, sum_gate = sum_tanh + to_tanh, sum_gate + to_gate
        put(tile, o * length + n, to_tanh)
        put(tile, (half + o) * length + n, to_gate)
    put(sums, place, sum_tanh)
    put(sums, other, sum_gate)


@part
def _pass_back(
    back: Any, extra: Any, length: int, grad: Any, gain: int, item: int, outputs: int, inputs: int,
    start: int, count: int,
) -> None:  # fmt: skip
    """Add the gradient through the residual path."""
    gains = numbers_at(gain, outputs)
    for o in range(outputs):
        own, at = spread_out(gains[o]), (o * length if inputs > 1 else 0)
        pushed, p = _near(extra, 0, grad, item, o, start, count, length)
        for n in range(0, length, WIDTH):
            put(back, at + n, get(back, at + n) + own * get(pushed, p + n))
