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
