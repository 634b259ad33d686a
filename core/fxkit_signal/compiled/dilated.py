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

from fxkit_signal.compiled.activation import GATED, NONE, SIGMOID, TANH, bend, steepness
from fxkit_signal.compiled.dilated_tile import (
    bring,
    collect,
    columns_of,
    correlate_tile,
    multiply,
    plan,
    plan_for,
    row_of,
    turned_columns_of,
    whole,
)
from fxkit_signal.compiled.kernel import kernel
from fxkit_signal.compiled.lanes import part
from fxkit_signal.compiled.vectors import (
    ROWS,
    SIDE,
    WIDTH,
    clear,
    get,
    move,
    numbers_at,
    put,
    spread_out,
    total,
)


@kernel("contract")
def forward(
    signal: Any, past: Any, add: Any, still: bool, weight: int, bias: int, gain: int, out: Any, kept: Any,
    shape: Any, code: int, first: int, stop: int,
) -> None:  # fmt: skip
    """Write the outputs of some items, and for "gated" the gate where `kept` has room."""
    inputs, outputs, taps, dilation, samples = shape
    length, hop, stride, room = plan(inputs, taps, dilation, samples)
    line = np.zeros(room, np.float32)
    reach, half, columns = (taps - 1) * dilation, outputs // 2, columns_of(weight, outputs, inputs, taps)
    starts = np.zeros(whole(outputs, ROWS), np.float32)
    if bias:
        move(starts, 0, numbers_at(bias, outputs), 0, outputs)
    tile, extra = np.zeros(starts.size * length, np.float32), np.zeros(length, np.float32)
    for item in range(first, stop):
        for start in range(0, samples, length):
            count = min(length, samples - start)
            bring(
                line, taps, hop, stride, dilation, past, reach, signal, item, inputs, samples, start, length
            )
            multiply(tile, length, starts, columns, line, taps, hop, stride, inputs)
            if add[0]:
                for o in range(outputs):
                    _sum(tile, o * length, extra, add, item, o, start, count, still)
            _bend(tile, length, outputs, code)
            if code == GATED:
                for o in range(half if kept[0] else 0):
                    _leave(tile, (half + o) * length, kept, item, o, start, count)
                _close(tile, length, half)
            if gain:
                _pass_by(tile, length, outputs, gain, line, (taps - 1) * hop, stride, inputs)
            for o in range(half if code == GATED else outputs):
                _leave(tile, o * length, out, item, o, start, count)


@kernel("contract")
def backward(
    grad: Any, bent: Any, gate: Any, signal: Any, past: Any, weight: int, gain: int, pre: Any, to_signal: Any,
    to_past: Any, shape: Any, code: int, wants_weight: bool, first: int, stop: int,
) -> Any:  # fmt: skip
    """Write the gradients of some items; return those of weight, bias and gain, summed over the items.

    `bent` is the output, `gate` what was kept beside it. `pre` receives the gradient before the activation,
    if that is asked for; without an activation it is `grad` itself. The tiles are done last to first, so
    that what lies after each is known.
    """
    inputs, outputs, taps, dilation, samples = shape
    length, hop, stride, room = plan(inputs, taps, dilation, samples)
    line = np.zeros(room, np.float32)
    length, after_hop, after_stride, room = plan_for(length, outputs, taps, dilation)
    after = np.zeros(room, np.float32)
    reach, rows, across = (taps - 1) * dilation, whole(outputs, SIDE), whole(inputs, SIDE)
    turned, starts = (
        turned_columns_of(weight, outputs, inputs, taps),
        np.zeros(whole(inputs, ROWS), np.float32),
    )
    tile, extra = np.zeros(rows * length, np.float32), np.zeros(3 * length, np.float32)
    back, heard = np.zeros(starts.size * length, np.float32), (taps - 1) * hop
    sums = np.zeros((rows * across * taps + 2 * rows) * WIDTH, np.float32)
    place_bias = rows * across * taps * WIDTH
    own = np.empty(0 if pre[0] else outputs * samples, np.float32)
    if not pre[0]:
        pre = own.ctypes.data, 0, samples
    for item in range(first, stop):
        for start in range((samples - 1) // length * length, -1, -length):
            count = min(length, samples - start)
            if wants_weight or gain:
                bring(
                    line,
                    taps,
                    hop,
                    stride,
                    dilation,
                    past,
                    reach,
                    signal,
                    item,
                    inputs,
                    samples,
                    start,
                    length,
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
            for o in range(outputs if code != NONE else 0):
                _leave(tile, o * length, pre, item, o, start, count)
            if wants_weight:
                correlate_tile(sums, tile, length, rows, line, taps, hop, stride, across)
            if to_signal[0]:
                bring(
                    after,
                    taps,
                    after_hop,
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
                multiply(back, length, starts, turned, after, taps, after_hop, after_stride, outputs)
                if gain:
                    _pass_back(back, extra, length, grad, gain, item, outputs, inputs, start, count)
                for c in range(inputs):
                    _leave(back, c * length, to_signal, item, c, start, count)
        for start in range(-reach if to_past[0] else 0, 0, length):
            bring(
                after,
                taps,
                after_hop,
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
            multiply(back, length, starts, turned, after, taps, after_hop, after_stride, outputs)
            for c in range(inputs):
                _leave(back, c * length, to_past, item, c, start + reach, min(length, -start))
    to_bias, to_gain = np.empty(outputs, np.float32), np.empty(outputs, np.float32)
    for o in range(outputs):
        to_bias[o] = total(get(sums, place_bias + 2 * o * WIDTH))
        to_gain[o] = total(get(sums, place_bias + (2 * o + 1) * WIDTH))
    return collect(sums, rows, outputs, inputs, taps), to_bias, to_gain


@part
def _sum(
    tile: Any, at: int, extra: Any, add: Any, item: int, o: int, start: int, count: int, still: bool
) -> None:
    """Add a row of `add`, or its one number, to a row of a tile."""
    if still:
        own = spread_out(row_of(add, item, o, 1)[0])
        for n in range(0, extra.size, WIDTH):
            put(tile, at + n, get(tile, at + n) + own)
    else:
        move(extra, 0, row_of(add, item, o, start + count), start, count)
        for n in range(0, extra.size, WIDTH):
            put(tile, at + n, get(tile, at + n) + get(extra, n))


@part
def _leave(tile: Any, at: int, tensor: Any, item: int, row: int, start: int, count: int) -> None:
    move(row_of(tensor, item, row, start + count), start, tile, at, count)


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
    there = row_of(tensor, item, row, start + count)
    if count == length:
        return there, start
    move(extra, at, there, start, count)
    clear(extra, at + count, length - count)
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
