"""Arrays of dilated layers whose sum is heard, all in one compiled pass where no gradient is wanted."""

from __future__ import annotations

from collections.abc import Sequence
from typing import NamedTuple

import torch
from torch import Tensor

from fxkit_signal.dispatch import compiled_for

# More channels are done as quickly layer by layer, and a longer memory would need too much room.
_MOST_CHANNELS, _FARTHEST = 64, 1 << 14


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
    from fxkit_signal.compiled.stack_function import run_stack

    return run_stack(reading, past, packed, scale, None)


def learned(
    reading: Tensor, past: Tensor, arrays: Sequence[ArrayWeights], scale: float
) -> tuple[Tensor, Tensor]:
    """Return the same as `stacked`, differentiable once with respect to signals, past and all weights.

    The way back computes the layers again, some thousand samples at a time, for which a few pasts are kept.
    """
    from fxkit_signal.compiled.stack_function import run_learned

    return run_learned(reading, past, arrays, scale)


def learns(reading: Tensor, past: Tensor, arrays: Sequence[ArrayWeights]) -> bool:
    """Tell whether `learned` can serve these tensors."""
    tensors = reading, past, *weights_of(arrays)
    if not reading.numel() or any(tensor.dtype != torch.float32 for tensor in tensors):
        return False
    layers = [(layer, step) for one in arrays for layer, step in zip(one.layers, one.dilations, strict=True)]
    widths = [max(layer.convolution.shape[:2]) for layer, _ in layers]
    reaches = [(layer.convolution.shape[2] - 1) * step for layer, step in layers]
    return max(widths) <= _MOST_CHANNELS and max(reaches) <= _FARTHEST and compiled_for(*tensors)


def weights_of(arrays: Sequence[ArrayWeights]) -> list[Tensor]:
    """Return all weights in the order of their places."""
    found: list[Tensor | None] = []
    for one in arrays:
        found.append(one.entry)
        for layer in one.layers:
            found.extend(layer)
        found.extend((one.head, one.head_bias))
    return [weight for weight in found if weight is not None]


def fits(reading: Tensor, past: Tensor) -> bool:
    """Tell whether `stacked` can serve these tensors."""
    plain = reading.dtype == past.dtype == torch.float32 and reading.numel() > 0
    return plain and not torch.is_grad_enabled() and compiled_for(reading, past)


class Numbers:
    """Gather weights in the order in which the product of the kernels reads them."""

    def __init__(self) -> None:
        self.parts: list[Tensor] = []
        self.size = 0

    def put(self, bias: Tensor | None, *weights: Tensor) -> int:
        """Append a bias and weights [outputs, inputs, taps] of as many outputs, and return their place."""
        outputs, place = weights[0].shape[0], self.size
        start = weights[0].new_zeros(outputs) if bias is None else bias
        for part in (_padded(start.flatten()), _columns(weights)):
            self.parts.append(part)
            self.size += part.numel()
        return place

    def all(self) -> Tensor:
        """Return all numbers, flat."""
        return torch.cat(self.parts)


def pack(arrays: Sequence[ArrayWeights]) -> Packed:
    """Lay the weights out for `stacked`; float32 on the CPU."""
    from fxkit_signal.compiled.dilated_layer import CODES

    numbers = Numbers()
    array_rows, layer_rows = [], []
    past = kept = rows = 0
    for one in arrays:
        channels, inputs, _ = one.entry.shape
        outputs, heard, taps_head = one.head.shape
        entry, entered, summed = numbers.put(None, one.entry), rows, rows + inputs
        rows += inputs + heard
        for layer, dilation in zip(one.layers, one.dilations, strict=True):
            taps = layer.convolution.shape[2]
            place = numbers.put(layer.bias, layer.convolution, layer.mix)
            onward = 0 if layer.onward is None else numbers.put(layer.onward_bias, layer.onward)
            layer_rows.append([taps, dilation, place, past, onward, kept, rows])
            past += channels * (taps - 1) * dilation
            kept, rows = kept + layer.convolution.shape[0], rows + channels
        head = numbers.put(one.head_bias, one.head)
        shape = [channels, inputs, heard, one.layers[0].convolution.shape[0]]
        places = [CODES[one.activation], len(one.layers), taps_head, outputs, entry, head, past]
        array_rows.append([*shape, *places, entered, summed])
        past += heard * (taps_head - 1)
    sizes = (*_sizes(arrays), past)
    return Packed(numbers.all(), torch.tensor(array_rows), torch.tensor(layer_rows), sizes)


def _sizes(arrays: Sequence[ArrayWeights]) -> tuple[int, int, int, int]:
    """Return the rows of the widest tile, the most taps, and room for what they read: tiles, and beside."""
    from fxkit_signal.compiled.vectors import STRIP

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
    return row_blocks(max(widths)), max(weight.shape[2] for weight in convolutions), tiles, beside


def row_blocks(rows: int) -> int:
    """Return the rows up to whole blocks of the product."""
    from fxkit_signal.compiled.vectors import ROWS

    return -(-rows // ROWS) * ROWS


def _padded(rows: Tensor) -> Tensor:
    """Return the rows, with zeros up to whole blocks of the product."""
    missing = row_blocks(len(rows)) - len(rows)
    return torch.cat((rows, rows.new_zeros(missing, *rows.shape[1:]))) if missing else rows


def _columns(weights: Sequence[Tensor]) -> Tensor:
    """Return block by block of rows, tap by tap, input by input, the weights of the rows of a block."""
    from fxkit_signal.compiled.vectors import ROWS

    blocks = [
        _padded(weight).unflatten(0, (-1, ROWS)).permute(0, 3, 2, 1).flatten(1, 2) for weight in weights
    ]
    return torch.cat(blocks, dim=1).flatten()
