"""The weights of arrays of dilated layers as the way back through them needs them."""

from __future__ import annotations

from collections.abc import Sequence
from typing import NamedTuple

import torch
from torch import Tensor

from fxkit_signal.layer_stack import ArrayWeights, LayerWeights, Numbers


class Turned(NamedTuple):
    """Hold the turned weights, what stands where, and where the gradients of the weights are summed."""

    numbers: Tensor
    arrays: Tensor
    layers: Tensor
    found: Tensor
    rows: tuple[int, int, int, int, int, int]


class _Sums:
    """Give room to sums, and list which gradient is found where."""

    def __init__(self) -> None:
        from fxkit_signal.compiled.vectors import SIDE, WIDTH

        self.side, self.width = SIDE, WIDTH
        self.size = 0
        self.found: list[list[int]] = []

    def squares(self, rows: int, columns: int, taps: int) -> list[int]:
        """Make room for products of rows and columns, and return where and how they lie."""
        down, along = -(-rows // self.side), -(-columns // self.side)
        place, self.size = self.size, self.size + down * along * taps * self.width
        return [place, down, along]

    def rows(self, rows: int) -> int:
        """Make room for sums of rows."""
        place, self.size = self.size, self.size + rows * self.width
        return place

    def weight(self, weight: Tensor) -> int:
        """Make room for a gradient [outputs, inputs, taps]."""
        outputs, inputs, taps = weight.shape
        at = self.squares(outputs, inputs, taps)
        self.found.append([*at, 0, outputs, inputs, taps])
        return at[0]

    def bias(self, outputs: int, *, listed: bool) -> int:
        """Make room for that of a bias, which is listed where there is one."""
        place = self.rows(outputs)
        if listed:
            self.found.append([place, 0, 0, 0, outputs, 1, 0])
        return place

    def mixed(self, layer: LayerWeights) -> tuple[int, int]:
        """Make room for those of a layer's convolution, bias and mix: the bias stands beside the mix."""
        outputs, reads, _ = layer.mix.shape
        place = self.weight(layer.convolution)
        at = self.squares(outputs, reads + 1, 1)
        self.found.append([*at, reads, outputs, 1, 1])
        self.found.append([*at, 0, outputs, reads, 1])
        return place, at[0]


def turn(arrays: Sequence[ArrayWeights]) -> Turned:
    """Lay the weights out for the way back; float32 on the CPU."""
    numbers, sums = Numbers(), _Sums()
    array_rows: list[list[int]] = []
    layer_rows: list[list[int]] = []
    ins = outs = 0
    for one in arrays:
        channels, inputs, _ = one.entry.shape
        outputs, heard, _ = one.head.shape
        own = [numbers.put(None, _turned(one.entry)), numbers.put(None, _turned(one.head))]
        own += [outs, sums.weight(one.entry)]
        ins, outs = ins + inputs + heard, outs + outputs
        for layer in one.layers:
            places = [numbers.put(None, _turned(layer.convolution))]
            places.append(0 if layer.onward is None else numbers.put(None, _turned(layer.onward)))
            places += [numbers.put(None, _turned(layer.mix)), outs, *sums.mixed(layer)]
            if layer.onward is None:
                places += [0, 0]
            else:
                places += [sums.weight(layer.onward), sums.bias(channels, listed=True)]
            ins, outs = ins + channels, outs + layer.convolution.shape[0]
            layer_rows.append(places)
        own += [sums.weight(one.head), sums.bias(outputs, listed=one.head_bias is not None)]
        array_rows.append(own)
    return Turned(
        numbers.all(),
        torch.tensor(array_rows),
        torch.tensor(layer_rows),
        torch.tensor(sums.found),
        _rows(arrays, ins, outs, sums.size),
    )


def _turned(weight: Tensor) -> Tensor:
    """Return the weight with outputs for inputs, the last tap first."""
    return weight.transpose(0, 1).flip(2)


def _rows(
    arrays: Sequence[ArrayWeights], ins: int, outs: int, sums: int
) -> tuple[int, int, int, int, int, int]:
    """Return what `fxkit_signal.compiled.stack_gradient.backward` calls by this name."""
    layers = [(layer, step) for one in arrays for layer, step in zip(one.layers, one.dilations, strict=True)]
    reaches = [(layer.convolution.shape[2] - 1) * step for layer, step in layers]
    kept = sum(layer.convolution.shape[0] for layer, _ in layers)
    reads = layers[0][0].mix.shape[1]
    reach = max(*reaches, *(one.head.shape[2] - 1 for one in arrays))
    return ins, outs, reach, sums, kept, reads
