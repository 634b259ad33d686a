"""All layers in one compiled pass each way have the gradients of automatic differentiation in float64."""

from __future__ import annotations

import pytest
import torch
from torch.nn.functional import conv1d

from fxkit_signal.dilated import ACTIVATIONS
from fxkit_signal.layer_stack import ArrayWeights, LayerWeights, learned, learns, pack, stacked


def drawn(*shape, seed=0):
    return 0.5 * torch.randn(shape, generator=torch.Generator().manual_seed(seed + sum(shape)))


def array(
    inputs, channels, heard, outputs, dilations, *, taps=3, taps_head=1, reads=1, bend="tanh", last=False
):
    wide = 2 * heard if bend == "gated" else heard
    layers = [
        LayerWeights(
            drawn(wide, channels, taps, seed=n) / channels**0.5,
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


STACKS = {
    "two arrays": [array(1, 4, 4, 3, (1, 2, 8)), array(4, 3, 3, 1, (1, 40), last=True)],
    "far taps": [array(1, 16, 16, 1, (1, 300, 7), taps=6, last=True)],
    "head with taps": [
        array(1, 3, 3, 2, (1, 5), taps_head=16),
        array(3, 2, 2, 1, (2,), taps_head=4, last=True),
    ],
    "bottleneck, gated": [array(1, 20, 5, 2, (1, 3), bend="gated"), array(20, 2, 2, 1, (1,), last=True)],
    "two inputs and outputs": [array(2, 5, 5, 2, (1, 9), reads=2, last=True)],
    "four inputs": [array(4, 12, 12, 1, (1, 9), reads=4, last=True)],
    "one tap": [array(1, 3, 3, 1, (1, 1), taps=1, last=True)],
} | {bend: [array(1, 9, 9, 1, (1, 2), bend=bend, last=True)] for bend in ("relu", "leaky-relu", "sigmoid")}
ALL = pytest.mark.parametrize("arrays", STACKS.values(), ids=STACKS)


def copied(arrays, change):
    """Return the arrays with each weight changed, and those weights."""
    made = []

    def own(weight):
        if weight is None:
            return None
        made.append(change(weight).requires_grad_())
        return made[-1]

    copies = [
        one._replace(
            entry=own(one.entry),
            layers=[LayerWeights(*map(own, layer)) for layer in one.layers],
            head=own(one.head),
            head_bias=own(one.head_bias),
        )
        for one in arrays
    ]
    return copies, made


def by_torch(reading, past, arrays, scale):
    """Run the layers one by one by torch operations."""
    at, kept = 0, []

    def with_past(signal, reach):
        nonlocal at
        count = signal.shape[1] * reach
        joined = torch.cat((past[:, at : at + count].view(len(past), signal.shape[1], reach), signal), -1)
        at += count
        kept.append(joined[..., joined.shape[-1] - reach :].flatten(1))
        return joined

    flow, total = reading, 0.0
    for one in arrays:
        flow = conv1d(flow, one.entry)
        for layer, dilation in zip(one.layers, one.dilations, strict=True):
            joined = with_past(flow, (layer.convolution.shape[2] - 1) * dilation)
            summed = conv1d(joined, layer.convolution, layer.bias, dilation=dilation)
            heard = ACTIVATIONS[one.activation](summed + conv1d(reading, layer.mix))
            total = total + heard
            if layer.onward is not None:
                flow = flow + conv1d(heard, layer.onward, layer.onward_bias)
        total = conv1d(with_past(total, one.head.shape[2] - 1), one.head, one.head_bias)
    return scale * total, torch.cat(kept, 1)


def gradients(run, reading, past, arrays, change, push, late):
    """Return output, past after it, and the gradients of signal, past and weights, in float64."""
    own, weights = copied(arrays, change)
    inputs = [change(tensor).requires_grad_() for tensor in (reading, past)]
    found = run(*inputs, own, 0.3)
    torch.autograd.backward(found, (change(push), change(late)))
    return [tensor.detach().double() for tensor in found], [
        tensor.grad.double() for tensor in (*inputs, *weights)
    ]


def case(arrays, samples, batch=2):
    size = pack(arrays).sizes[-1]
    reading, past = drawn(batch, arrays[0].entry.shape[1], samples), drawn(batch, size, seed=1)
    return reading, past, drawn(batch, arrays[-1].head.shape[0], samples, seed=5), drawn(batch, size, seed=7)


def far(found, wanted):
    return max(
        float((a - b).abs().max() / b.abs().max())
        for a, b in zip(found, wanted, strict=True)
        if b.numel() and b.abs().max() > 0
    )


@ALL
@pytest.mark.parametrize("samples", [1, 45, 700, 5000])
def test_values_and_gradients_equal_those_in_float64(arrays, samples):
    reading, past, push, late = case(arrays, samples)
    found = gradients(learned, reading, past, arrays, torch.clone, push, late)
    wanted = gradients(by_torch, reading, past, arrays, torch.Tensor.double, push, late)
    assert far(found[0], wanted[0]) < 2e-6
    assert far(found[1], wanted[1]) < 1e-5


@ALL
def test_values_are_those_without_gradients(arrays):
    reading, past, _, _ = case(arrays, 700)
    found = learned(reading, past, arrays, 0.3)
    with torch.no_grad():
        wanted = stacked(reading, past, pack(arrays), 0.3)
    assert all(map(torch.equal, found, wanted))


def test_gradients_run_through_blocks_as_through_the_whole():
    arrays = STACKS["two arrays"]
    reading, past, push, _ = case(arrays, 1200)

    def in_blocks(reading, past, arrays, scale):
        parts = []
        for block in reading.split([1, 7, 64, 256, 257, 600, 15], dim=-1):
            part, past = learned(block, past, arrays, scale)
            parts.append(part)
        return torch.cat(parts, -1), past

    late = torch.zeros_like(past)
    whole = gradients(learned, reading, past, arrays, torch.clone, push, late)
    blocks = gradients(in_blocks, reading, past, arrays, torch.clone, push, late)
    assert far(blocks[0], whole[0]) < 2e-6
    assert far(blocks[1], whole[1]) < 1e-5


def test_gradients_of_one_tensor_alone_are_those_of_all_together():
    arrays = STACKS["head with taps"]
    reading, past, push, _ = case(arrays, 300)
    own, weights = copied(arrays, torch.clone)
    every = [reading.clone().requires_grad_(), past.clone().requires_grad_(), *weights]
    learned(*every[:2], own, 1.0)[0].backward(push)
    wanted = [tensor.grad for tensor in every]
    for chosen, one in enumerate(every):
        for tensor in every:
            tensor.grad = None
            tensor.requires_grad_(tensor is one)
        learned(*every[:2], own, 1.0)[0].backward(push)
        assert torch.equal(one.grad, wanted[chosen])


def test_weights_may_change_before_the_way_back():
    arrays = STACKS["two arrays"]
    reading, past, push, late = case(arrays, 300)
    wanted = gradients(learned, reading, past, arrays, torch.clone, push, late)[1]
    own, weights = copied(arrays, torch.clone)
    found = learned(reading, past, own, 0.3)
    with torch.no_grad():
        for weight in weights:
            weight.mul_(2)
    torch.autograd.backward(found, (push, late))
    assert far([weight.grad.double() for weight in weights], wanted[2:]) == 0


def test_rows_that_lie_apart_in_memory_are_read_right():
    arrays = STACKS["two inputs and outputs"]
    reading, past, push, late = case(arrays, 300)
    wanted = gradients(learned, reading, past, arrays, torch.clone, push, late)
    apart = [tensor.mT.contiguous().mT for tensor in (reading, push)]
    wide = torch.stack((past, past), -1).flatten(1)[:, ::2]
    found = gradients(learned, apart[0], wide, arrays, lambda t: t.detach(), apart[1], late)
    assert far(found[1], wanted[1]) == 0


@pytest.fixture
def threads():
    before = torch.get_num_threads()
    yield torch.set_num_threads
    torch.set_num_threads(before)


def test_threads_share_a_batch_without_a_difference_but_rounding(threads):
    arrays = STACKS["two arrays"]
    reading, past, push, late = case(arrays, 2700, batch=5)
    found = []
    for count in (1, 2):
        threads(count)
        found.append(gradients(learned, reading, past, arrays, torch.clone, push, late))
    assert far(found[0][0], found[1][0]) == 0
    assert far(found[0][1], found[1][1]) < 1e-5


def test_little_is_kept_for_the_way_back():
    arrays = STACKS["two arrays"]
    reading, past, _, _ = case(arrays, 20000)
    own, _ = copied(arrays, torch.clone)
    kept = []
    with torch.autograd.graph.saved_tensors_hooks(
        lambda tensor: (kept.append(tensor), tensor)[1], lambda tensor: tensor
    ):
        learned(reading, past, own, 1.0)
    others = sum(tensor.numel() for tensor in kept) - reading.numel() - past.numel()
    # Of four and three channels in five layers, which would be 18 numbers per sample.
    assert 0 < others < 0.5 * reading.numel()


def test_only_float32_of_few_channels_is_served():
    arrays = STACKS["two arrays"]
    reading, past, _, _ = case(arrays, 8)
    assert learns(reading, past, arrays)
    assert not learns(reading.double(), past, arrays)
    assert not learns(reading[..., :0], past, arrays)
    assert not learns(reading, past, copied(arrays, torch.Tensor.double)[0])
    assert not learns(reading, past, [array(1, 65, 65, 1, (1,), last=True)])
    assert not learns(reading, past, [array(1, 2, 2, 1, (1, 10000), last=True)])


@pytest.mark.parametrize(("channels", "items", "more"), [(2, 2, 0), (1, 1, 0), (1, 2, 1)])
def test_shapes_that_do_not_fit_are_refused(channels, items, more):
    arrays = STACKS["two arrays"]
    size = pack(arrays).sizes[-1]
    with pytest.raises(ValueError, match=rf"past \[2, {size}\], got \[2, {channels}, 8\]"):
        learned(torch.zeros(2, channels, 8), torch.zeros(items, size + more), arrays, 1.0)
