import math

import pytest
import torch
from torch.autograd import gradcheck

from fxkit_signal.antialiasing import antialiased, means_along
from fxkit_signal.shaping import CUBIC, EXPONENTIAL, HARD_CLIP, SINE_FOLD, TANH, TRIANGLE_FOLD, Curve, biased

CURVES = [TANH, HARD_CLIP, CUBIC, EXPONENTIAL, SINE_FOLD, TRIANGLE_FOLD]
IDENTITY = Curve(lambda x: x, lambda x: x * x / 2)


def centred_mean(samples, value, n, pieces=4000):
    """Average the curve over the lines that join samples n - 1, n, n + 1, half a sample to either side."""
    before, here, after = ([0.0, *samples, 0.0][n + shift] for shift in (0, 1, 2))
    total = 0.0
    for piece in range(pieces):
        share = (piece + 0.5) / pieces - 0.5
        total += value(here + share * (after - here) if share > 0 else here - share * (before - here))
    return total / pieces


def test_every_sample_is_the_mean_of_the_curve_around_the_sample_before():
    samples = [0.2, 0.9, -3.0, -3.0, 2.5, 0.0, 0.0, 1e-5, 4.0]
    x = torch.tensor(samples, dtype=torch.float64)
    y, _ = antialiased(x, TANH)
    assert float(y[0]) == pytest.approx(centred_mean([0.0, *samples], math.tanh, 0), abs=1e-6)
    for n in range(len(samples) - 1):
        assert float(y[n + 1]) == pytest.approx(centred_mean(samples, math.tanh, n), abs=1e-6)


def test_a_line_passes_late_by_exactly_one_sample():
    x = torch.sin(2 * math.pi * torch.arange(4000, dtype=torch.float64) * 0.25)
    y, _ = antialiased(x, IDENTITY)
    assert torch.allclose(y[2:], 0.75 * x[1:-1], atol=1e-12)  # (6 + 2 cos(pi / 2)) / 8


def test_a_slow_signal_is_shaped_as_without_antialiasing():
    x = 3 * torch.sin(2 * math.pi * torch.arange(2000, dtype=torch.float64) / 2000)
    y, _ = antialiased(x, TANH)
    assert torch.allclose(y[2:], torch.tanh(x[1:-1]), atol=1e-5)


@pytest.mark.parametrize("curve", CURVES)
def test_neighbours_that_nearly_agree_are_exact(curve):
    """Against the mean of 1000 values; the difference of antiderivatives alone would lose all digits."""
    for gap in (0.0, 1e-12, 3e-7, 0.99e-4, 1.01e-4, 1e-3):
        start = torch.tensor([0.37, -2.2, 55.0, 1000.0], dtype=torch.float64)
        grid = start[:, None] + gap * (torch.arange(1000, dtype=torch.float64) + 0.5) / 1000
        (found,) = means_along(torch.stack((start, start + gap)), curve)
        assert torch.allclose(found, curve.value(grid).mean(-1), atol=1e-8)


@pytest.mark.parametrize("curve", CURVES)
def test_gradients_are_the_derivatives_on_both_sides_of_the_switch(curve):
    x = torch.tensor(
        [[0.3, 0.30002, 0.3, -1.2, -1.2, 2.7, 0.0, 0.0]], dtype=torch.float64, requires_grad=True
    )
    assert gradcheck(lambda x: antialiased(x, curve)[0], (x,), eps=1e-6, atol=1e-5)


def test_a_step_in_and_out_of_silence_is_finite_with_finite_gradients():
    x = torch.tensor([[[0.0, 0.0, 1e30, -1e30, 0.0, 0.0]]], requires_grad=True)
    for curve in (TANH, HARD_CLIP, CUBIC, EXPONENTIAL):
        y, _ = antialiased(x, curve)
        (gradient,) = torch.autograd.grad(y.sum(), x)
        assert y.isfinite().all()
        assert gradient.isfinite().all()


def test_a_moving_bias_serves_the_way_that_leads_to_its_sample():
    x = torch.tensor([[[0.5, -0.5, 1.0, 0.2]]], dtype=torch.float64)
    bias = torch.tensor([[[0.1, -0.2, 0.3, 0.4]]], dtype=torch.float64)
    y, _ = antialiased(x, biased(TANH, bias))
    ways = [(0.0, 0.5, 0.1), (0.5, -0.5, -0.2), (-0.5, 1.0, 0.3), (1.0, 0.2, 0.4)]

    def area(low, high, b):
        return (math.log(math.cosh(high + b)) - math.log(math.cosh(low + b))) / (high - low) - math.tanh(b)

    halves = [(area(a, (a + z) / 2, b), area((a + z) / 2, z, b)) for a, z, b in ways]
    expected = [(before[1] + here[0]) / 2 for before, here in zip([(0, 0), *halves], halves, strict=False)]
    assert y.flatten().tolist() == pytest.approx(expected, abs=1e-12)


@pytest.mark.parametrize("curve", [TANH, CUBIC, EXPONENTIAL, SINE_FOLD])
def test_aliases_of_a_high_sine_fall(curve):
    """Bin 3413 of 32768 is odd, so that aliases fall between the harmonics 1 to 4."""
    turns = 3413 * torch.arange(3 * 32768, dtype=torch.float64) / 32768
    sine = 4 * torch.sin(2 * math.pi * turns)

    def aliases(y):
        power = torch.fft.rfft(y[-32768:]).abs().square()
        power[0] = power[3413 : 4 * 3413 + 1 : 3413] = 0
        return 10 * math.log10(power.sum())

    assert aliases(antialiased(sine, curve)[0]) <= aliases(curve.value(sine)) - 4
