import math
from fractions import Fraction

import numpy as np
import pytest
import torch
from hypothesis import given, settings
from hypothesis import strategies as st

from fxkit_signal.lfo import advance, harmonic_wave, lfo_phase, lfo_wave

RATE = 48000


def f64(*values):
    return torch.tensor(values, dtype=torch.float64)[:, None, None]


@given(hours=st.floats(0, 100), rate=st.floats(0.01, 20), phase=st.floats(-1, 1))
@settings(max_examples=60, deadline=None)
def test_the_phase_after_hours_is_that_of_exact_arithmetic(hours, rate, phase):
    position = int(hours * 3600 * RATE)
    found = float(lfo_phase(f64(rate), phase, 1, RATE, torch.tensor(position)))
    exact = Fraction(rate) * position / RATE + Fraction(phase)
    error = Fraction(found) - exact
    assert abs(float(error - round(error))) <= 1e-8
    assert abs(found) <= 0.5


@given(cut=st.integers(0, 500))
@settings(max_examples=20, deadline=None)
def test_a_block_goes_on_where_the_last_one_ended(cut):
    whole = lfo_phase(f64(3.3), 0.2, 500, RATE)
    first = lfo_phase(f64(3.3), 0.2, cut, RATE)
    second = lfo_phase(f64(3.3), 0.2, 500 - cut, RATE, advance(None, cut))
    torch.testing.assert_close(torch.cat([first, second], -1), whole, rtol=0, atol=0)


def test_items_of_a_batch_may_stand_at_different_samples():
    starts = torch.tensor([0, 12345, 10**10])
    found = lfo_phase(f64(0.35, 0.35, 0.35), 0.1, 64, RATE, starts)
    for item, start in enumerate(starts):
        alone = lfo_phase(f64(0.35), 0.1, 64, RATE, start)
        assert torch.equal(found[item], alone[0])


@pytest.mark.parametrize("wave", ["sine", "triangle"])
def test_waves_start_at_zero_rise_and_reach_both_ends(wave):
    found = lfo_wave(torch.tensor([0.0, 0.25, 0.5, -0.25, 0.125], dtype=torch.float64), wave)
    eighth = math.sqrt(0.5) if wave == "sine" else 0.5
    np.testing.assert_allclose(found, [0, 1, 0, -1, eighth], atol=1e-12)


@pytest.mark.parametrize("wave", ["sine", "triangle"])
def test_gradients_to_rate_and_phase_are_those_of_finite_differences(wave):
    rate, phase = f64(0.7, 1.9).requires_grad_(), f64(0.13, 0.31).requires_grad_()
    starts = torch.tensor([480_017, 12])

    def run(rate, phase):
        return lfo_wave(lfo_phase(rate, phase, 40, 100, starts), wave)

    assert torch.autograd.gradcheck(run, (rate, phase), eps=1e-9, atol=1e-3, rtol=1e-4)


def test_harmonics_can_draw_a_triangle():
    cycles = torch.linspace(-0.5, 0.5, 401, dtype=torch.float64)[None, None]
    numbers = np.arange(1, 60)
    series = np.where(numbers % 2 == 1, 8 / math.pi**2 * (-1.0) ** ((numbers - 1) // 2) / numbers**2, 0)
    sines = torch.from_numpy(series)[None, None]
    found = harmonic_wave(cycles, sines, torch.zeros_like(sines))
    torch.testing.assert_close(found, lfo_wave(cycles, "triangle"), rtol=0, atol=0.01)
    turned = harmonic_wave(cycles, torch.zeros(1, 1, 1), torch.ones(1, 1, 1))
    torch.testing.assert_close(turned, torch.cos(2 * math.pi * cycles))


def test_a_wave_of_harmonics_never_leaves_minus_one_to_one():
    draw = torch.Generator().manual_seed(0)
    sines, cosines = 5 * torch.randn(2, 20, 1, 8, generator=draw, dtype=torch.float64)
    wave = harmonic_wave(torch.linspace(-0.5, 0.5, 999, dtype=torch.float64), sines, cosines)
    assert 0.5 < float(wave.abs().max()) <= 1


def test_moments_a_hop_apart_are_samples_of_the_whole():
    whole = lfo_phase(f64(3.3), 0.2, 640, RATE, torch.tensor(77))
    frames = lfo_phase(f64(3.3), 0.2, 10, RATE, torch.tensor(77), hop=64)
    assert torch.equal(frames, whole[..., ::64])
