import math

import numpy as np
import pytest
import torch
from hypothesis import given, settings
from hypothesis import strategies as st

from fxkit_signal import delay_line as module
from fxkit_signal.delay_line import delay_line, least_delay
from fxkit_signal.interpolator import interpolator

METHODS = ("linear", "cubic", "sinc", "allpass")
LONGEST = 60


@pytest.fixture(params=["compiled", "torch"])
def path(request, monkeypatch):
    monkeypatch.setattr(module, "compiled_for", lambda *tensors: request.param == "compiled")
    return request.param


def moving(samples, low=12.0, high=50.0, turns=3.3):
    time = torch.arange(samples, dtype=torch.float64) / samples
    return low + (high - low) * (0.5 + 0.5 * torch.sin(2 * math.pi * turns * time))[None, None]


def noise(*shape, seed=0, dtype=torch.float64):
    return torch.randn(shape, generator=torch.Generator().manual_seed(seed), dtype=dtype)


def weights_at(name, fraction):
    """The interpolators from their definitions: taps by age after the whole part, oldest last."""
    if name == "linear":
        return {0: 1 - fraction, 1: fraction}, 0.0
    if name == "allpass":
        pole = (1 - (0.5 + fraction)) / (1 + (0.5 + fraction))
        return {0: pole, 1: 1.0}, pole
    ages = range(-1, 3) if name == "cubic" else range(-7, 9)
    if name == "cubic":
        raw = {
            age: math.prod((fraction - other) / (age - other) for other in ages if other != age)
            for age in ages
        }
    else:
        raw = {
            age: np.sinc(fraction - age) * np.i0(8.0 * math.sqrt(max(0, 1 - ((fraction - age) / 8) ** 2)))
            for age in ages
        }
    return {age: weight / sum(raw.values()) for age, weight in raw.items()}, 0.0


def sample_by_sample(x, d, g, a, name):
    """One channel of the equations in the module's docstring, in plain Python floats."""
    shift = 0.5 if name == "allpass" else 0.0
    w, out, read, loop = [], [], 0.0, 0.0
    for n in range(len(x)):
        w.append(x[n])
        whole = math.floor(d[n] - shift)
        taps, pole = weights_at(name, d[n] - shift - whole)
        past = sum(weight * w[n - whole - age] for age, weight in taps.items() if n - whole - age >= 0)
        read = past - pole * read
        loop = (1 - a[n]) * read + a[n] * loop
        w[n] += g[n] * loop
        out.append(read)
    return np.array(out)


@pytest.mark.parametrize("looped", [False, True])
@pytest.mark.parametrize("name", METHODS)
def test_a_moving_delay_with_feedback_equals_the_loop_over_samples(name, looped, path):
    samples = 400
    x, d = noise(1, 1, samples), moving(samples)
    g = 0.8 * torch.cos(torch.arange(samples) * 0.01).double()[None, None] if looped else None
    a = 0.4 * torch.sin(torch.arange(samples) * 0.02).double().abs()[None, None] if looped else None
    found, _ = delay_line(x, d, g, a, longest=LONGEST, interpolation=name)
    zeros = np.zeros(samples)
    around = (g[0, 0].numpy(), a[0, 0].numpy()) if looped else (zeros, zeros)
    expected = sample_by_sample(x[0, 0].tolist(), d[0, 0].tolist(), *around, name)
    # The weights' curves are drawn in cubic pieces, to 1e-8.
    np.testing.assert_allclose(found[0, 0].numpy(), expected, atol=1e-6)


def test_a_whole_delay_is_the_signal_later(path):
    x = noise(2, 3, 100, dtype=torch.float32)
    for name in ("linear", "cubic", "sinc"):
        y, _ = delay_line(x, torch.full((1, 1, 1), 23.0), longest=LONGEST, interpolation=name)
        assert y.dtype == torch.float32
        assert y[..., :23].abs().max() <= 1e-15
        torch.testing.assert_close(y[..., 23:], x[..., :-23], rtol=0, atol=1e-7)


@pytest.mark.parametrize("name", METHODS)
@pytest.mark.parametrize("cuts", [(1,) * 30, (7,) * 30, (200, 3, 1, 90)])
def test_any_split_gives_the_same_samples_also_in_a_loop_shorter_than_a_block(name, cuts, path):
    samples = sum(cuts)
    x, d = noise(2, 2, samples), moving(samples, 10.0, 20.0)
    g, a = torch.full((2, 1, 1), -0.9), torch.full((1, 2, 1), 0.3)
    whole, after = delay_line(x, d, g, a, longest=LONGEST, interpolation=name)
    pieces, state, start = [], None, 0
    for size in cuts:
        part = slice(start, start + size)
        piece, state = delay_line(
            x[..., part], d[..., part], g, a, state, longest=LONGEST, interpolation=name
        )
        pieces.append(piece)
        start += size
    torch.testing.assert_close(torch.cat(pieces, -1), whole, rtol=0, atol=1e-12)
    for key in after:
        torch.testing.assert_close(state[key], after[key], rtol=0, atol=1e-12)


@pytest.mark.parametrize("name", METHODS)
def test_gradients_to_everything_are_those_of_finite_differences(name, path):
    samples, shortest = 24, least_delay(name, feedback=True)
    x = noise(2, 1, samples).requires_grad_()
    d = moving(samples, shortest + 0.3, shortest + 4.1).clone().requires_grad_()
    g = torch.tensor([[[0.7]], [[-0.6]]], dtype=torch.float64, requires_grad=True)
    a = torch.tensor([[[0.25]]], dtype=torch.float64, requires_grad=True)
    longest = shortest + 6
    _, before = delay_line(
        noise(2, 1, 20, seed=4), d[..., :20].detach(), g.detach(), longest=longest, interpolation=name
    )
    leaves = [value.detach().clone().requires_grad_() for value in before.values()]

    def run(x, d, g, a, *state):
        y, after = delay_line(
            x, d, g, a, dict(zip(before, state, strict=True)), longest=longest, interpolation=name
        )
        return (y, *after.values())

    assert torch.autograd.gradcheck(run, (x, d, g, a, *leaves), eps=1e-7, atol=1e-5)


def test_both_paths_agree_in_values_and_gradients(monkeypatch):
    found = {}
    for name in METHODS:
        for compiled in (True, False):
            monkeypatch.setattr(module, "compiled_for", lambda *tensors, compiled=compiled: compiled)
            x, d = noise(2, 2, 300).requires_grad_(), moving(300).clone().requires_grad_()
            g = torch.full((2, 2, 1), 0.8, dtype=torch.float64, requires_grad=True)
            y, state = delay_line(x, d, g, longest=LONGEST, interpolation=name)
            (y.square().sum() + state["line"].pow(3).sum()).backward()
            found[compiled] = (y.detach(), x.grad, d.grad, g.grad)
        for one, other in zip(*found.values(), strict=True):
            torch.testing.assert_close(one, other, rtol=1e-10, atol=1e-10)


def response(name, fraction, frequency):
    """What a reading at this fraction does to a complex exponential, over what a pure delay would."""
    method = interpolator(name)
    step = min(int(fraction * method.rows), method.rows - 1)
    powers = torch.tensor([(fraction * method.rows - step) ** power for power in range(4)]).double()
    weights, pole = powers @ method.weights[step], powers @ method.pole[step]
    ages = method.taps - 1 - method.reach - torch.arange(method.taps)
    turn = torch.exp(-1j * torch.tensor(math.pi * frequency, dtype=torch.float64))
    passed = (weights * turn**ages).sum() / (1 + pole * turn)
    return complex(passed / turn ** (method.shift + fraction))


DOCUMENTED = {
    "linear": (-38, -22, -11, -3),
    "cubic": (-73, -41, -19, -5),
    "sinc": (-87, -91, -79, -24),
    "allpass": (-47, -24, -8, 0),
}


@pytest.mark.parametrize("name", METHODS)
def test_the_error_of_each_interpolator_is_the_documented_one(name):
    for frequency, decibels in zip((0.1, 0.25, 0.5, 0.8), DOCUMENTED[name], strict=True):
        fractions = np.arange(0, 200) / 200 if name != "allpass" else np.array([0.9999])
        worst = max(abs(response(name, float(fraction), frequency) - 1) for fraction in fractions)
        assert 20 * math.log10(worst) == pytest.approx(decibels, abs=1.1)


@given(fraction=st.floats(0, 0.999), frequency=st.floats(0.01, 0.99))
@settings(max_examples=50, deadline=None)
def test_the_allpass_never_changes_a_magnitude(fraction, frequency):
    assert abs(response("allpass", fraction, frequency)) == pytest.approx(1, abs=1e-9)


def test_a_loop_below_one_dies_away_and_its_echoes_stand_where_they_belong(path):
    x = torch.zeros(1, 1, 2000)
    x[..., 0] = 1
    y, _ = delay_line(x, torch.full((1, 1, 1), 50.0), torch.full((1, 1, 1), 0.5), longest=LONGEST)
    expected = torch.zeros(2000)
    expected[50::50] = 0.5 ** torch.arange(39)
    torch.testing.assert_close(y[0, 0], expected, rtol=0, atol=1e-7)


def test_delays_are_held_where_no_future_sample_is_needed(path):
    x = noise(1, 1, 50)
    for name in METHODS:
        for g in (None, torch.full((1, 1, 1), 0.5)):
            shortest = least_delay(name, feedback=g is not None)
            held, _ = delay_line(x, torch.full((1, 1, 1), shortest), g, longest=40, interpolation=name)
            below, _ = delay_line(x, torch.full((1, 1, 1), -3.0), g, longest=40, interpolation=name)
            torch.testing.assert_close(below, held)


def test_a_longest_delay_that_no_reading_allows_is_refused():
    with pytest.raises(ValueError, match="longest >= 8"):
        delay_line(noise(1, 1, 8), torch.ones(1, 1, 1), torch.zeros(1, 1, 1), longest=3)


def test_no_samples_leave_the_state_as_it_was(path):
    d, g = torch.full((1, 1, 1), 20.0), torch.full((1, 1, 1), 0.5)
    _, before = delay_line(noise(1, 2, 64), d, g, longest=LONGEST)
    y, after = delay_line(noise(1, 2, 0), d, g, state=before, longest=LONGEST)
    assert y.shape == (1, 2, 0)
    for key in before:
        assert torch.equal(before[key], after[key])
