"""All layers in one compiled pass give what the layers give one by one, in blocks of any size."""

from __future__ import annotations

import numpy as np
import pytest
import torch

from fxkit_signal.layer_stack import ArrayWeights, LayerWeights, fits, pack, stacked


def drawn(*shape, seed=0):
    return 0.5 * torch.randn(shape, generator=torch.Generator().manual_seed(seed + sum(shape)))


def array(
    inputs, channels, heard, outputs, dilations, *, taps=3, taps_head=1, reads=1, bend="tanh", last=False
):
    wide = 2 * heard if bend == "gated" else heard
    layers = [
        LayerWeights(
            drawn(wide, channels, taps, seed=n),
            drawn(wide, seed=n),
            drawn(wide, reads, 1, seed=n),
            None if last and n == len(dilations) - 1 else 0.5 * drawn(channels, heard, 1, seed=n),
            None if last and n == len(dilations) - 1 else drawn(channels, seed=n),
        )
        for n in range(len(dilations))
    ]
    head = drawn(outputs, heard, taps_head)
    return ArrayWeights(
        drawn(channels, inputs, 1), layers, dilations, bend, head, drawn(outputs) if last else None
    )


BENDS = {
    "tanh": np.tanh,
    "relu": lambda x: np.maximum(x, 0),
    "leaky-relu": lambda x: np.where(x > 0, x, 0.01 * x),
    "sigmoid": lambda x: 1 / (1 + np.exp(-x)),
}


def convolved(signal, weight, bias, dilation):
    """Convolve [inputs, samples], silence before, by [outputs, inputs, taps] in float64."""
    output = np.zeros((len(weight), signal.shape[1])) + np.asarray(bias, dtype=np.float64).reshape(-1, 1)
    for tap in range(weight.shape[2]):
        late = (weight.shape[2] - 1 - tap) * dilation
        shifted = np.pad(signal, ((0, 0), (late, 0)))[:, : signal.shape[1]]
        output += weight[:, :, tap].astype(np.float64) @ shifted
    return output


def expected(arrays, reading, scale):
    """Run [reads, samples] through the layers, one by one, in float64."""
    reading = reading.astype(np.float64)
    flow, total = reading, 0.0
    for one in arrays:
        flow = convolved(flow, one.entry.numpy(), 0.0, 1)
        for layer, dilation in zip(one.layers, one.dilations, strict=True):
            summed = convolved(flow, layer.convolution.numpy(), layer.bias.numpy(), dilation)
            summed = summed + convolved(reading, layer.mix.numpy(), 0.0, 1)
            if one.activation == "gated":
                left, right = np.split(summed, 2)
                heard = np.tanh(left) * BENDS["sigmoid"](right)
            else:
                heard = BENDS[one.activation](summed)
            total = total + heard
            if layer.onward is not None:
                flow = flow + convolved(heard, layer.onward.numpy(), layer.onward_bias.numpy(), 1)
        total = convolved(total, one.head.numpy(), 0.0 if one.head_bias is None else one.head_bias.numpy(), 1)
    return scale * total


STACKS = {
    "two arrays": [array(1, 4, 4, 3, (1, 2, 8)), array(4, 3, 3, 1, (1, 40), last=True)],
    "far taps": [array(1, 16, 16, 1, (1, 300, 7), taps=6, last=True)],
    "head with taps": [
        array(1, 3, 3, 2, (1, 5), taps_head=16),
        array(3, 2, 2, 1, (2,), taps_head=4, last=True),
    ],
    "bottleneck, gated": [array(1, 20, 5, 2, (1, 3), bend="gated"), array(20, 2, 2, 1, (1,), last=True)],
    "two inputs and outputs": [array(2, 5, 5, 2, (1, 9), reads=2, last=True)],
    "one tap": [array(1, 3, 3, 1, (1, 1), taps=1, last=True)],
} | {bend: [array(1, 9, 9, 1, (1, 2), bend=bend, last=True)] for bend in BENDS}


@pytest.mark.parametrize("arrays", STACKS.values(), ids=STACKS)
def test_one_pass_gives_what_the_layers_give(arrays):
    packed = pack(arrays)
    reading = drawn(3, arrays[0].entry.shape[1], 700)
    with torch.inference_mode():
        output, _ = stacked(reading, torch.zeros(3, packed.sizes[-1]), packed, 0.3)
    for item in range(3):
        wanted = expected(arrays, reading[item].numpy(), 0.3)
        assert np.abs(output[item].numpy() - wanted).max() < 1e-5 * max(1, np.abs(wanted).max())


@pytest.mark.parametrize("arrays", STACKS.values(), ids=STACKS)
def test_blocks_of_any_size_give_the_same(arrays):
    packed = pack(arrays)
    reading = drawn(2, arrays[0].entry.shape[1], 1200)
    start = drawn(2, packed.sizes[-1])
    kept = start.clone()
    with torch.inference_mode():
        whole, after = stacked(reading, start, packed, 1.0)
        state, parts = start, []
        for block in reading.split([1, 7, 64, 256, 257, 600, 15], dim=-1):
            part, state = stacked(block, state, packed, 1.0)
            parts.append(part)
    assert torch.equal(start, kept)
    torch.testing.assert_close(torch.cat(parts, dim=-1), whole, rtol=1e-6, atol=1e-6)
    torch.testing.assert_close(state, after, rtol=1e-6, atol=1e-6)


def test_rows_that_lie_apart_in_memory_are_read_right():
    packed = pack(STACKS["two inputs and outputs"])
    reading = drawn(2, 300, 2).transpose(1, 2)
    past = torch.zeros(2, 2 * packed.sizes[-1])[:, ::2]
    with torch.inference_mode():
        apart, _ = stacked(reading, past, packed, 1.0)
        together, _ = stacked(reading.contiguous(), past.contiguous(), packed, 1.0)
    assert torch.equal(apart, together)


def test_only_float32_without_gradients_is_served():
    signal, past = torch.zeros(1, 1, 8), torch.zeros(1, 4)
    assert not fits(signal, past)
    with torch.no_grad():
        assert fits(signal, past)
        assert not fits(signal.double(), past.double())
        assert not fits(signal[..., :0], past)
