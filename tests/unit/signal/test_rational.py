import numpy as np
import pytest
import torch
from hypothesis import given
from hypothesis import strategies as st
from torch.autograd import gradcheck

from fxkit_signal.rational import fit, identity, rational

GUARDS = ("absolute", "square")


def coefficients(size):
    return st.lists(st.floats(-3, 3), min_size=size, max_size=size)


@pytest.mark.parametrize("guard", GUARDS)
@given(top=coefficients(4), bottom=coefficients(3), x=st.floats(-5, 5))
def test_the_quotient_is_that_of_the_written_out_powers(guard, top, bottom, x):
    below = sum(b * x**power for power, b in enumerate(bottom, 1))
    expected = sum(a * x**power for power, a in enumerate(top, 1)) / (
        1 + (abs(below) if guard == "absolute" else below**2)
    )
    given_ = (torch.tensor(values, dtype=torch.float64) for values in ([x], top, bottom))
    assert float(rational(*given_, guard)) == pytest.approx(expected, rel=1e-9, abs=1e-9)


@pytest.mark.parametrize("guard", GUARDS)
def test_the_fit_of_tanh_is_close(guard):
    x = torch.linspace(-4, 4, 801, dtype=torch.float64)
    for sizes, error in (((5, 4), 1e-3), ((3, 2), 1e-2), ((7, 6), 2e-4)):
        assert float((rational(x, *fit(np.tanh, *sizes, guard), guard) - x.tanh()).abs().max()) < error


@pytest.mark.parametrize("guard", GUARDS)
@pytest.mark.parametrize("sizes", [(1, 1), (2, 3), (3, 1), (3, 2), (5, 4), (8, 8)])
def test_the_identity_is_exact(guard, sizes):
    x = torch.linspace(-9, 9, 101, dtype=torch.float64)
    top, bottom = map(torch.from_numpy, identity(*sizes, guard))
    assert torch.allclose(rational(x, top, bottom, guard), x, atol=1e-12)


@pytest.mark.parametrize("guard", GUARDS)
def test_gradients_are_the_derivatives(guard):
    x, top, bottom = (
        torch.tensor(values, dtype=torch.float64, requires_grad=True)
        for values in ([-2.0, 0.3, 1.7], [1.0, 0.2, -0.4], [0.5, 0.3])
    )
    assert gradcheck(lambda *given_: rational(*given_, guard), (x, top, bottom))
