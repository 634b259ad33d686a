"""Static curves at levels where they are known."""

from __future__ import annotations

import pytest
import torch

from fxkit_signal.gain_computer import amplitude, decibels, excess, reduction


def value(number):
    return torch.tensor(number, dtype=torch.float64)


def test_levels_in_decibels():
    level = torch.tensor([1.0, 10.0, 0.1, 0.0], dtype=torch.float64)
    assert decibels(level).tolist() == pytest.approx([0.0, 20.0, -20.0, -120.0])
    assert decibels(level.square(), power=True).tolist() == pytest.approx([0.0, 20.0, -20.0, -120.0])
    assert amplitude(decibels(level[:3])).tolist() == pytest.approx(level[:3].tolist())


def test_a_hard_knee_is_a_corner_with_finite_gradients():
    over = torch.tensor([-3.0, 0.0, 5.0], dtype=torch.float64, requires_grad=True)
    knee = torch.zeros(3, dtype=torch.float64, requires_grad=True)
    found = excess(over, knee)
    assert found.tolist() == [0.0, 0.0, 5.0]
    for gradient in torch.autograd.grad(found.sum(), (over, knee)):
        assert gradient.isfinite().all()


def test_a_soft_knee_joins_smoothly_and_reaches_an_eighth_at_the_threshold():
    assert excess(value(0.0), value(8.0)).item() == pytest.approx(1.0)
    for over in (-4.0, 4.0):
        at = value(over).requires_grad_()
        assert excess(at, value(8.0)).item() == pytest.approx(max(over, 0.0))
        inside = (at * (1 - 1e-9)).clone()
        (slope,) = torch.autograd.grad(excess(inside, value(8.0)), at)
        assert slope.item() == pytest.approx(float(over > 0), abs=1e-6)


def test_gradients_through_knee_and_range_are_those_of_finite_differences():
    over = torch.linspace(-20, 20, 23, dtype=torch.float64, requires_grad=True)
    others = [value(number).requires_grad_() for number in (0.7, 9.0, 8.0)]
    assert torch.autograd.gradcheck(reduction, (over, *others))
