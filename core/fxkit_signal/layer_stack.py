"""Arrays of dilated layers whose sum is heard, all in one compiled pass where no gradient is wanted."""

from __future__ import annotations

from collections.abc import Callable, Sequence
from typing import NamedTuple

import torch
from torch import Tensor

from fxkit_signal.dispatch import compiled_for


class LayerWeights(NamedTuple):
    """Hold one layer: convolution [wide, channels, taps] and bias, mix [wide, reads, 1], the 1x1 or None."""

    convolution: Tensor
    bias: Tensor
    mix: Tensor
    onward: Tensor | None
    onward_bias: Tensor | None


class ArrayWeights(NamedTuple):
    """Hold one array: entry [channels, inputs, 1], its layers, the head [outputs, heard, taps], its bias."""

    entry: Tensor
    layers: Sequence[LayerWeights]
    dilations: Sequence[int]
    activation: str
    head: Tensor
    head_bias: Tensor | None


class Packed(NamedTuple):
    """Hold the weights in the order in which the kernel reads them, and what stands where."""

    numbers: Tensor
    arrays: Tensor
    layers: Tensor
    sizes: tuple[int, int, int, int, int]


def stacked(reading: Tensor, past: Tensor, packed: Packed, scale: float) -> tuple[Tensor, Tensor]:
    """Return scale times the last head [batch, outputs, samples], and the past after the block.

    `reading` [batch, reads, samples]; `past` [batch, packed.sizes[-1]]. float32 on the CPU, without gradient.
    """
    from fxkit_signal.compiled.layer_stack import OUTPUTS, run
    from fxkit_signal.compiled.threads import spread

    batch, reads, samples = reading.shape
    reading = reading if reading.stride(-1) == 1 or samples == 1 else reading.contiguous()
    past = past if past.stride(-1) == 1 else past.contiguous()
    out = reading.new_empty(batch, int(packed.arrays[-1, OUTPUTS]), samples)
    after = past.new_empty(past.shape)
    places = (
        (reading.data_ptr(), reading.stride(0), reading.stride(1)),
        (past.data_ptr(), past.stride(0)),
        (after.data_ptr(), after.stride(0)),
        (out.data_ptr(), out.stride(0), out.stride(1)),
    )
    tables = packed.numbers.numpy(), packed.arrays.numpy(), packed.layers.numpy()
    work: Callable[[int, int], None] = lambda first, stop: run(  # noqa: E731
        *places, *tables, packed.sizes, reads, samples, scale, first, stop
    )
    spread(work, batch)
    return out, after


def fits(reading: Tensor, past: Tensor) -> bool:
    """Tell whether `stacked` can serve these tensors."""
    plain = reading.dtype == past.dtype == torch.float32 and reading.numel() > 0
    return plain and not torch.is_grad_enabled() and compiled_for(reading, past)


def pack(arrays: Sequence[ArrayWeights]) -> Packed:
    """Lay the weights out for `stacked`; float32 on the CPU."""
    from fxkit_signal.compiled.dilated_layer import CODES

    numbers: list[Tensor] = []
    array_rows, layer_rows = [], []
    past = 0

    def put(bias: Tensor | None, *weights: Tensor) -> int:
        place = sum(part.numel() for part in numbers)
        outputs = weights[0].shape[0]
        start = weights[0].new_zeros(outputs) if bias is None else bias
        numbers.extend((_padded(start.flatten()), _columns(weights)))
        return place

    for one in arrays:
        channels, inputs, _ = one.entry.shape
        outputs, heard, taps_head = one.head.shape
        entry = put(None, one.entry)
        for layer, dilation in zip(one.layers, one.dilations, strict=True):
            taps = layer.convolution.shape[2]
            place = put(layer.bias, layer.convolution, layer.mix)
            onward = 0 if layer.onward is None else put(layer.onward_bias, layer.onward)
            layer_rows.append([taps, dilation, place, past, onward])
            past += channels * (taps - 1) * dilation
        head = put(one.head_bias, one.head)
        wide, code = one.layers[0].convolution.shape[0], CODES[one.activation]
        array_rows.append(
            [channels, inputs, heard, wide, code, len(one.layers), taps_head, outputs, entry, head, past]
        )
        past += heard * (taps_head - 1)
    sizes = (*_sizes(arrays), past)
    return Packed(torch.cat(numbers), torch.tensor(array_rows), torch.tensor(layer_rows), sizes)


def _sizes(arrays: Sequence[ArrayWeights]) -> tuple[int, int, int, int]:
    """Return the rows of the widest tile, the most taps, and room for what they read: tiles, and beside."""
    from fxkit_signal.compiled.vectors import ROWS, STRIP

    widths = [
        n
        for one in arrays
        for n in (*one.entry.shape[:2], *one.layers[0].convolution.shape[:1], *one.head.shape[:2])
    ]
    convolutions = [layer.convolution for one in arrays for layer in one.layers] + [
        one.head for one in arrays
    ]
    tiles = max(weight.shape[1] * weight.shape[2] for weight in convolutions)
    # Rows that several taps read begin at whole vectors.
    beside = (max(weight.shape[1] for weight in convolutions) + 1) * STRIP
    return -(-max(widths) // ROWS) * ROWS, max(weight.shape[2] for weight in convolutions), tiles, beside


def _padded(rows: Tensor) -> Tensor:
    """Return the rows, with zeros up to whole blocks of the product."""
    from fxkit_signal.compiled.vectors import ROWS

    missing = -len(rows) % ROWS
    return torch.cat((rows, rows.new_zeros(missing, *rows.shape[1:]))) if missing else rows


def _columns(weights: Sequence[Tensor]) -> Tensor:
    """Return block by block of rows, tap by tap, input by input, the weights of the rows of a block."""
    from fxkit_signal.compiled.vectors import ROWS

    blocks = [
        _padded(weight).unflatten(0, (-1, ROWS)).permute(0, 3, 2, 1).flatten(1, 2) for weight in weights
    ]
    return torch.cat(blocks, dim=1).flatten()
