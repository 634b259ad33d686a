import math

import numpy as np
import pytest
import torch
from hypothesis import given, settings
from hypothesis import strategies as st

from fxkit_signal import dispatch
from fxkit_signal.all_pole import all_pole
from fxkit_signal.one_pole import one_pole


@pytest.fixture(params=["compiled", "torch"])
def path(request, monkeypatch):
    if request.param == "torch":
        monkeypatch.setattr(dispatch, "has_compiler", lambda: False)
    return request.param


def random(*shape, seed=0):
    return torch.from_numpy(np.random.default_rng(seed).standard_normal(shape))


def resonances(batch, samples, pairs, seed=0):
    """Coefficients [batch, samples, 2 * pairs] of poles inside the unit circle that wander."""
    draw = np.random.default_rng(seed)
    radius, angle = draw.uniform(0.3, 0.95, (2, batch, samples, pairs))
    found = np.ones((batch, samples, 1))
    for k in range(pairs):
        pair = np.stack([np.ones_like(radius[..., k]), -2 * radius[..., k] * np.cos(3 * angle[..., k]),
                         radius[..., k] ** 2], axis=-1)  # fmt: skip
        product = np.zeros((batch, samples, found.shape[-1] + 2))
        for i in range(3):
            product[..., i : i + found.shape[-1]] += pair[..., i : i + 1] * found
        found = product
    return torch.from_numpy(found[..., 1:])


def direct_form(x, a, past):
    """y[n] = x[n] - sum of a[n, k] y[n - 1 - k], one row, with the last outputs `past`, latest first."""
    past, y = list(past), []
    for n in range(len(x)):
        coefficients = a[n if len(a) > 1 else 0]
        y.append(x[n] - sum(c * p for c, p in zip(coefficients, past, strict=True)))
        past = [y[-1], *past[:-1]]
    return np.array(y), np.array(past)


def relative(found, expected):
    return np.linalg.norm(found.detach().numpy() - expected) / np.linalg.norm(expected)


@pytest.mark.parametrize("moves", [False, True])
@pytest.mark.parametrize("pairs", [1, 5])
def test_all_pole_equals_the_difference_equation(path, moves, pairs):
    x, state = random(2, 2, 500), random(2, 2, 2 * pairs, seed=1)
    a = resonances(2, 500 if moves else 1, pairs)
    y, end = all_pole(x, a, state)
    for item in range(2):
        for channel in range(2):
            expected, past = direct_form(
                x[item, channel].numpy(), a[item].numpy(), state[item, channel].numpy()
            )
            assert relative(y[item, channel], expected) < 1e-9
            assert relative(end[item, channel], past) < 1e-9


def test_one_pole_equals_its_difference_equation_for_every_shape_of_control(path):
    x, state = random(2, 3, 300), random(2, 3, 1, seed=1)
    for shape in [(1, 1, 1), (2, 1, 1), (2, 3, 1), (1, 3, 300), (2, 1, 300), (2, 3, 300)]:
        a = torch.sigmoid(random(*shape, seed=2))
        y, end = one_pole(x, a, state)
        tracks = a.expand(2, 3, 300)
        last = state[..., 0]
        for n in range(300):
            last = (1 - tracks[..., n]) * x[..., n] + tracks[..., n] * last
            assert torch.allclose(y[..., n], last, atol=1e-12)
        assert torch.allclose(end[..., 0], last, atol=1e-12)


def test_a_step_reaches_63_percent_after_one_time_constant(path):
    a = torch.full((1, 1, 1), math.exp(-1 / 480), dtype=torch.float64)
    y, _ = one_pole(torch.ones(1, 1, 1000), a)
    assert y[0, 0, 479].item() == pytest.approx(1 - math.exp(-1), abs=1e-6)
    assert y.dtype == torch.float32


@pytest.mark.parametrize("moves", [False, True])
@pytest.mark.parametrize("pairs", [1, 2])
def test_gradients_of_all_pole_pass_gradcheck(path, moves, pairs):
    x, state = random(2, 2, 11).requires_grad_(), random(2, 2, 2 * pairs, seed=1).requires_grad_()
    a = resonances(2, 11 if moves else 1, pairs).requires_grad_()
    assert torch.autograd.gradcheck(all_pole, (x, a, state), eps=1e-6, atol=1e-6, rtol=1e-4)


@pytest.mark.parametrize("shape", [(1, 1, 1), (2, 2, 1), (2, 1, 9)])
def test_gradients_of_one_pole_pass_gradcheck(path, shape):
    x, state = random(2, 2, 9).requires_grad_(), random(2, 2, 1, seed=1).requires_grad_()
    a = torch.sigmoid(random(*shape, seed=2)).requires_grad_()
    assert torch.autograd.gradcheck(one_pole, (x, a, state), eps=1e-6, atol=1e-6, rtol=1e-4)


def test_signals_shorter_than_the_order_leave_older_outputs_in_the_state(path):
    state = random(1, 1, 4).requires_grad_()
    for moves in (False, True):
        _, end = all_pole(random(1, 1, 2), resonances(1, 2 if moves else 1, 2), state)
        assert torch.equal(end[0, 0, 2:], state[0, 0, :2])
        (gradient,) = torch.autograd.grad(end[..., 2:].sum(), state)
        assert gradient.tolist() == [[[1, 1, 0, 0]]]


@settings(deadline=None, max_examples=20)
@given(st.lists(st.sampled_from([1, 7, 64, 3, 50]), min_size=1, max_size=9), st.booleans(), st.booleans())
def test_any_split_into_blocks_gives_the_offline_output(sizes, moves, compiled):
    samples = sum(sizes)
    x, a = random(2, 1, samples).float(), resonances(2, samples if moves else 1, 2)
    with pytest.MonkeyPatch.context() as patch:
        patch.setattr(dispatch, "has_compiler", lambda: compiled)
        whole, end = all_pole(x, a)
        parts, state, start = [], None, 0
        for block in x.split(sizes, dim=-1):
            some = a[:, start : start + block.shape[-1]] if moves else a
            part, state = all_pole(block, some, state)
            parts.append(part)
            start += block.shape[-1]
    assert torch.allclose(torch.cat(parts, dim=-1), whole, atol=1e-5)
    assert torch.allclose(state, end, rtol=1e-6, atol=1e-9)


def test_long_moving_filters_of_high_order_are_cut_into_stretches_that_fit_in_memory(monkeypatch):
    from fxkit_signal import all_pole as module

    x, a = random(1, 1, 1000), resonances(1, 1000, 4)
    expected, _ = all_pole(x, a)
    monkeypatch.setattr(dispatch, "has_compiler", lambda: False)
    monkeypatch.setattr(module, "NUMBERS", 8 * 8 * 100)
    assert torch.allclose(all_pole(x, a)[0], expected, atol=1e-9)


def test_nothing_in_gives_nothing_out_and_keeps_the_state(path):
    state = random(1, 1, 2)
    y, after = all_pole(torch.zeros(1, 1, 0), resonances(1, 1, 1), state)
    assert y.shape == (1, 1, 0)
    assert torch.equal(after, state)
