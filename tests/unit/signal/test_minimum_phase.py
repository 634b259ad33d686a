"""Minimum-phase designs have the asked magnitude and no zero outside the unit circle."""

from __future__ import annotations

import numpy as np
import pytest
import torch

from fxkit_signal.minimum_phase import grid_points, minimum_phase


def test_a_known_minimum_phase_filter_comes_back():
    zeros = np.array([0.9, -0.7, 0.5 + 0.6j, 0.5 - 0.6j])
    taps = np.real(np.poly(zeros))
    points = 1025
    magnitude = np.abs(np.fft.rfft(taps, 2 * (points - 1)))
    found = minimum_phase(torch.from_numpy(np.log(magnitude)), 16)
    assert np.allclose(found[:5].numpy(), taps, atol=1e-10)
    assert float(found[5:].abs().max()) <= 1e-10


def test_a_maximum_phase_filter_is_turned_inside_out():
    magnitude = np.abs(np.fft.rfft([0.5, 1.0], 2048))
    assert np.allclose(minimum_phase(torch.from_numpy(np.log(magnitude)), 3).numpy(), [1.0, 0.5, 0.0])


def test_flat_is_a_scaled_impulse():
    found = minimum_phase(torch.full((2, grid_points(8)), 0.5, dtype=torch.float64), 8)
    assert found[:, 0].tolist() == pytest.approx([np.exp(0.5)] * 2)
    assert float(found[:, 1:].abs().max()) <= 1e-12


def test_gradcheck():
    log_magnitude = torch.randn(1, 17, dtype=torch.float64, requires_grad=True)
    assert torch.autograd.gradcheck(lambda x: minimum_phase(x, 6), log_magnitude)
