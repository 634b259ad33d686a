import math

import pytest
import torch
from hypothesis import given
from hypothesis import strategies as st

from fxkit_signal.chebyshev import chebyshev
from fxkit_signal.shaping import (
    CUBIC,
    EXPONENTIAL,
    HARD_CLIP,
    SINE_FOLD,
    TANH,
    TRIANGLE_FOLD,
    asymmetric_curve,
    biased,
)

UPPER, LOWER = (torch.tensor(value, dtype=torch.float64) for value in (0.7, 1.9))
CURVES = {
    "tanh": TANH,
    "hard clip": HARD_CLIP,
    "cubic": CUBIC,
    "exponential": EXPONENTIAL,
    "sine fold": SINE_FOLD,
    "triangle fold": TRIANGLE_FOLD,
    "asymmetric": asymmetric_curve(UPPER, LOWER),
    "chebyshev": chebyshev(torch.tensor([0.7, -0.3, 0.2, 0.1, -0.05], dtype=torch.float64)[None, :, None]),
}
# Written out for one number; the plain formulas of a textbook.
PLAIN = {
    "tanh": math.tanh,
    "hard clip": lambda x: max(-1.0, min(1.0, x)),
    "cubic": lambda x: x - 4 * x**3 / 27 if abs(x) < 1.5 else math.copysign(1.0, x),
    "exponential": lambda x: math.copysign(1 - math.exp(-abs(x)), x),
    "sine fold": math.sin,
    "triangle fold": lambda x: math.asin(math.sin(x * math.pi / 2)) * 2 / math.pi,
    "asymmetric": lambda x: 0.7 * math.tanh(x / 0.7) if x > 0 else 1.9 * math.tanh(x / 1.9),
    "chebyshev": lambda x: sum(
        w * (math.cos(k * math.acos(max(-1.0, min(1.0, x)))) - math.cos(k * math.pi / 2))
        for k, w in enumerate((0.7, -0.3, 0.2, 0.1, -0.05), 1)
    ),
}


def signal(*values):
    return torch.tensor(values, dtype=torch.float64)[None, None]


@pytest.mark.parametrize("name", CURVES)
@given(x=st.floats(-300, 300))
def test_a_curve_is_its_formula(name, x):
    assert float(CURVES[name].value(signal(x))) == pytest.approx(PLAIN[name](x), abs=1e-9)


@pytest.mark.parametrize("name", CURVES)
@given(x=st.floats(-20, 20), step=st.floats(0.01, 3))
def test_the_antiderivative_is_the_area_under_the_curve(name, x, step):
    """Against Simpson's rule on 2000 pieces."""
    grid = torch.linspace(x, x + step, 4001, dtype=torch.float64)[None, None]
    values = CURVES[name].value(grid)[0, 0]
    weights = torch.ones(4001, dtype=torch.float64)
    weights[1:-1:2], weights[2:-1:2] = 4, 2
    area = float((weights * values).sum() * step / 4000 / 3)
    ends = CURVES[name].integral(signal(x, x + step))[0, 0]
    assert float(ends[1] - ends[0]) == pytest.approx(area, abs=3e-6)


@pytest.mark.parametrize("name", CURVES)
def test_value_is_the_slope_of_the_antiderivative_also_where_pieces_meet(name):
    joints = signal(0.0, 0.3, -0.6, 0.99, 1.2, -1.7, 2.4, 30.0, -30.0).requires_grad_()
    CURVES[name].integral(joints).sum().backward()
    assert torch.allclose(joints.grad, CURVES[name].value(joints), atol=1e-12)


@pytest.mark.parametrize("name", [name for name in CURVES if name != "chebyshev"])
def test_small_signals_pass_with_slope_one(name):
    zero = signal(0.0).requires_grad_()
    CURVES[name].value(zero).sum().backward()
    assert zero.grad.item() == pytest.approx(1.0)


@given(bias=st.floats(-2, 2), x=st.floats(-3, 3))
def test_a_biased_curve_keeps_silence_silent(bias, x):
    curve = biased(EXPONENTIAL, signal(bias))
    plain = PLAIN["exponential"]
    assert float(curve.value(signal(0.0))) == 0.0
    assert float(curve.value(signal(x))) == pytest.approx(plain(x + bias) - plain(bias), abs=1e-12)


@pytest.mark.parametrize("name", ["tanh", "hard clip", "cubic", "exponential", "asymmetric"])
def test_limits_hold_in_float32_at_any_drive(name):
    loud = torch.tensor([-1e6, -60.0, 60.0, 1e6])[None, None].requires_grad_()
    out = CURVES[name].value(loud)
    out.sum().backward()
    assert out.isfinite().all()
    assert loud.grad.isfinite().all()
    assert out.abs().max() <= 1.9 + 1e-6


@pytest.mark.parametrize("harmonic", range(1, 6))
def test_each_chebyshev_weight_makes_its_harmonic_of_a_full_scale_cosine(harmonic):
    weights = torch.zeros(1, 5, 1, dtype=torch.float64)
    weights[0, harmonic - 1] = 0.5
    cosine = torch.cos(2 * math.pi * 3 * torch.arange(64, dtype=torch.float64) / 64)[None, None]
    spectrum = torch.fft.rfft(chebyshev(weights).value(cosine)).abs()[0, 0] / 32
    spectrum[0] = 0
    expected = torch.zeros_like(spectrum)
    expected[3 * harmonic] = 0.5
    assert torch.allclose(spectrum, expected, atol=1e-12)
