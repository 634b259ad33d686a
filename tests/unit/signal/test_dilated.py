from __future__ import annotations

import math

import numpy as np
import pytest
import torch

from fxkit_signal import dispatch
from fxkit_signal.dilated import ACTIVATIONS, dilated, past_after

BENT = {
    "": lambda x: x,
    "tanh": np.tanh,
    "sigmoid": lambda x: 1 / (1 + np.exp(-x)),
    "relu": lambda x: np.maximum(x, 0),
    "leaky-relu": lambda x: np.where(x > 0, x, 0.01 * x),
    "gated": lambda x: np.tanh(x[: len(x) // 2]) / (1 + np.exp(-x[len(x) // 2 :])),
}


@pytest.fixture(params=["compiled", "torch"])
def path(request, monkeypatch):
    if request.param == "torch":
        monkeypatch.setattr(dispatch, "has_compiler", lambda: False)
    return request.param


def random(*shape, seed=0, kind=torch.float32):
    return torch.from_numpy(np.random.default_rng(seed).standard_normal(shape)).to(kind)


def layer(batch, inputs, outputs, taps, dilation, samples, kind=torch.float32):
    """Return signal, past, weight, bias and what is added."""
    scale = 1 / math.sqrt(inputs * taps)
    return (
        random(batch, inputs, samples, kind=kind),
        random(batch, inputs, (taps - 1) * dilation, seed=1, kind=kind),
        random(outputs, inputs, taps, seed=2, kind=kind) * scale,
        random(outputs, seed=3, kind=kind),
        random(batch, outputs, samples, seed=4, kind=kind),
    )


def loop(signal, past, weight, bias, dilation, add=None, activation=""):
    """Sum over inputs and taps, sample by sample, in float64."""
    signal, past, weight = (t.detach().double().numpy() for t in (signal, past, weight))
    joined = np.concatenate((past, signal), axis=-1)
    items = []
    for item in range(len(signal)):
        out = np.zeros((len(weight), signal.shape[-1]))
        for n in range(signal.shape[-1]):
            for tap in range(weight.shape[-1]):
                out[:, n] += weight[:, :, tap] @ joined[item, :, n + tap * dilation]
        out += 0 if bias is None else bias.detach().double().numpy()[:, None]
        out += 0 if add is None else add.detach().double().numpy()[item]
        items.append(BENT[activation](out))
    return torch.from_numpy(np.stack(items))


@pytest.mark.parametrize("activation", list(ACTIVATIONS))
@pytest.mark.parametrize(
    ("inputs", "outputs", "taps", "dilation", "samples"),
    [(1, 2, 1, 1, 5), (3, 4, 3, 2, 40), (16, 16, 7, 16, 100), (2, 10, 5, 27, 70), (4, 34, 2, 300, 129)],
)
def test_output_follows_the_defining_sums(path, activation, inputs, outputs, taps, dilation, samples):
    signal, past, weight, bias, add = layer(2, inputs, outputs, taps, dilation, samples)
    found = dilated(signal, past, weight, bias, dilation, add=add, activation=activation)
    expected = loop(signal, past, weight, bias, dilation, add, activation)
    assert torch.allclose(found.double(), expected, atol=3e-6)


def test_bias_and_sum_may_be_absent_and_the_sum_may_stand_still(path):
    signal, past, weight, bias, add = layer(2, 3, 4, 3, 5, 50)
    plain = dilated(signal, past, weight, None, 5)
    assert torch.allclose(plain.double(), loop(signal, past, weight, None, 5), atol=3e-6)
    still = dilated(signal, past, weight, bias, 5, add=add[..., :1])
    assert torch.allclose(still.double(), loop(signal, past, weight, bias, 5, add[..., :1]), atol=3e-6)


@pytest.mark.parametrize("activation", list(ACTIVATIONS))
def test_gradients_pass_gradcheck(activation):
    tensors = layer(2, 2, 4, 3, 2, 7, torch.float64)
    tensors = [tensor.requires_grad_() for tensor in tensors]

    def run(signal, past, weight, bias, add):
        return dilated(signal, past, weight, bias, 2, add=add, activation=activation)

    assert torch.autograd.gradcheck(run, tensors)


def double_way(signal, past, weight, bias, dilation, add, activation, gain=None):
    """Compute the layer by torch operations in float64."""
    joined = torch.cat((past, signal), dim=-1)
    bent = torch.nn.functional.conv1d(joined, weight, bias, dilation=dilation)
    bent = ACTIVATIONS[activation](bent if add is None else bent + add)
    return bent if gain is None else bent + gain[:, None] * signal


SIZES = [
    # inputs, outputs, taps, dilation, samples
    (1, 2, 1, 1, 5),
    (3, 4, 3, 2, 40),
    (16, 16, 7, 16, 300),
    (2, 10, 5, 27, 70),
    (4, 34, 2, 300, 777),
    (16, 16, 5, 600, 1000),
]


@pytest.mark.parametrize("activation", list(ACTIVATIONS))
@pytest.mark.parametrize(("inputs", "outputs", "taps", "dilation", "samples"), SIZES)
def test_gradients_equal_those_in_float64(activation, inputs, outputs, taps, dilation, samples):
    tensors = layer(2, inputs, outputs, taps, dilation, samples)
    own = [tensor.clone().requires_grad_() for tensor in tensors]
    right = [tensor.double().requires_grad_() for tensor in tensors]
    found = dilated(*own[:4], dilation, add=own[4], activation=activation)
    expected = double_way(*right[:4], dilation, right[4], activation)
    push = random(*expected.shape, seed=9)
    found.backward(push)
    expected.backward(push.double())
    for one, other in zip(own, right, strict=True):
        error = (one.grad - other.grad).abs().max() / other.grad.abs().max() if other.numel() else 0
        assert error < 2e-6


@pytest.mark.parametrize("activation", [name for name in ACTIVATIONS if name != "gated"])
@pytest.mark.parametrize(("inputs", "samples"), [(6, 300), (1, 45)])
def test_the_residual_path_adds_the_signal_with_a_gain(path, activation, inputs, samples):
    tensors = (*layer(2, inputs, 6, 3, 40, samples)[:4], random(6, seed=5))
    own = [tensor.clone().requires_grad_() for tensor in tensors]
    right = [tensor.double().requires_grad_() for tensor in tensors]
    found = dilated(*own[:4], 40, activation=activation, gain=own[4])
    expected = double_way(*right[:4], 40, None, activation, right[4])
    assert torch.allclose(found.double(), expected, atol=3e-6)
    push = random(*expected.shape, seed=9)
    found.backward(push)
    expected.backward(push.double())
    for one, other in zip(own, right, strict=True):
        assert (one.grad - other.grad).abs().max() / other.grad.abs().max() < 3e-6


def test_gradients_of_one_input_alone_are_those_of_all_together():
    tensors = layer(2, 3, 4, 3, 5, 50)
    push = random(2, 4, 50, seed=9)
    every = [tensor.clone().requires_grad_() for tensor in tensors]
    dilated(*every[:4], 5, add=every[4], activation="tanh").backward(push)
    for chosen in range(5):
        some = [tensor.clone().requires_grad_(i == chosen) for i, tensor in enumerate(tensors)]
        dilated(*some[:4], 5, add=some[4], activation="tanh").backward(push)
        assert torch.equal(some[chosen].grad, every[chosen].grad)


@pytest.fixture
def threads():
    before = torch.get_num_threads()
    yield torch.set_num_threads
    torch.set_num_threads(before)


def test_threads_share_a_batch_without_a_difference_but_rounding(threads):
    tensors, push = layer(5, 3, 4, 3, 40, 300), random(5, 4, 300, seed=9)
    found = []
    for count in (1, 2):
        threads(count)
        own = [tensor.clone().requires_grad_() for tensor in tensors]
        out = dilated(*own[:4], 40, add=own[4], activation="tanh")
        out.backward(push)
        found.append((out, *(tensor.grad for tensor in own)))
    for one, other in zip(*found, strict=True):
        assert torch.allclose(one, other, rtol=1e-5, atol=1e-5)


def test_tensors_that_are_views_are_read_where_they_stand(path):
    signal, past, weight, bias, add = layer(3, 4, 6, 3, 7, 90)
    whole = dilated(signal, past, weight, bias, 7, add=add)
    turned = [tensor.mT.contiguous().mT for tensor in (signal, past, weight, add)]
    assert torch.allclose(dilated(*turned[:3], bias, 7, add=turned[3]), whole, atol=1e-6)
    wide = torch.cat((past, signal), dim=-1)
    assert torch.allclose(dilated(wide[..., 14:], wide[..., :14], weight, bias, 7, add=add), whole, atol=1e-6)
    for some in (signal[:1].expand(3, -1, -1), signal[..., :1].expand(-1, -1, 90)):
        expected = dilated(some.contiguous(), past, weight, bias, 7, add=add)
        assert torch.equal(dilated(some, past, weight, bias, 7, add=add), expected)


def test_the_gradient_of_a_sum_that_stands_still_is_summed(path):
    signal, past, weight, bias, add = layer(2, 3, 4, 3, 5, 50)
    still = add[:1, :, :1].clone().requires_grad_()
    push = random(2, 4, 50, seed=9)
    dilated(signal, past, weight, bias, 5, add=still).backward(push)
    assert torch.allclose(still.grad, push.sum((0, 2))[None, :, None], rtol=1e-5)


@pytest.mark.parametrize("activation", ["tanh", "sigmoid", "gated"])
def test_activations_keep_their_digits_from_tiny_to_huge(activation):
    size = torch.logspace(-30, 30, 4001)
    x = torch.cat((-size, size, torch.zeros(1)))[None, None]
    weight = torch.ones(2 if activation == "gated" else 1, 1, 1)
    found = dilated(x, x[..., :0], weight, None, 1, activation=activation)[0, 0].double()
    exact = ACTIVATIONS[activation](x.double().expand(1, len(weight), -1))[0, 0]
    small = exact.abs() < 1e-37
    assert ((found - exact).abs() <= 3e-7 * exact.abs() * (2 if activation == "gated" else 1))[~small].all()
    assert (found[small].abs() < 1.1e-37).all()


def test_what_is_not_a_number_stays_so(path):
    signal, past, weight, bias, _ = layer(1, 2, 4, 3, 5, 40)
    signal[0, 1, 20] = math.nan
    for activation in ACTIVATIONS:
        found = dilated(signal, past, weight, bias, 5, activation=activation)
        assert found.isnan().any(1)[0].nonzero().flatten().tolist() == [20, 25, 30]


@pytest.mark.parametrize(
    ("change", "told"),
    [
        ({"past": random(2, 3, 9)}, r"past \[2, 3, 10\], got .* \[2, 3, 9\]"),
        ({"past": random(1, 3, 10)}, r"got .* \[1, 3, 10\]"),
        ({"signal": random(2, 4, 50)}, r"signal \[2, 3, any\]"),
        ({"add": random(2, 4, 49)}, r"add must be \[2, 4, 50 or 1\]"),
        ({"gain": random(4)}, "4 inputs or one"),
    ],
)
def test_shapes_that_do_not_fit_are_refused(path, change, told):
    signal, past, weight, bias, add = layer(2, 3, 4, 3, 5, 50)
    given = {"signal": signal, "past": past, "add": add, **change}
    with pytest.raises(ValueError, match=told):
        dilated(given.pop("signal"), given.pop("past"), weight, bias, 5, **given)


@pytest.mark.parametrize("taken", [0, 3, 8, 9, 30])
def test_the_past_after_a_block_is_the_end_of_all(taken):
    signal, past = random(2, 3, taken), random(2, 3, 8, seed=1)
    assert torch.equal(past_after(signal, past), torch.cat((past, signal), -1)[..., taken:])


def test_the_past_after_a_block_keeps_nothing_else_alive():
    past = past_after(random(1, 2, 1000), random(1, 2, 8))
    assert past.untyped_storage().nbytes() == 2 * 8 * 4


def test_any_split_into_blocks_gives_the_offline_output(path):
    signal, past, weight, bias, _ = layer(2, 3, 4, 3, 20, 200)
    whole = dilated(signal, past, weight, bias, 20, activation="tanh")
    parts = []
    for block in signal.split([1, 7, 64, 100, 3, 25], dim=-1):
        parts.append(dilated(block, past, weight, bias, 20, activation="tanh"))
        past = past_after(block, past)
    assert torch.allclose(torch.cat(parts, dim=-1), whole, atol=1e-6)
