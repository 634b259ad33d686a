"""Cosine, smooth L1 and energy decay, against sums written out and against closed forms."""

from __future__ import annotations

import math

import pytest
import torch
from hypothesis import given, settings
from hypothesis import strategies as st

from fxkit.context import BuildContext
from fxkit.values import Batch, Output
from fxkit_losses.cosine import Cosine
from fxkit_losses.energy_decay import EnergyDecay
from fxkit_losses.l1 import L1
from fxkit_losses.smooth_l1 import SmoothL1


def signals(channels=2, samples=60):
    draw = torch.Generator().manual_seed(0)
    return [0.1 * torch.randn(3, channels, samples, generator=draw, dtype=torch.float64) for _ in range(2)]


def measured(spec, audio, target):
    return spec.build(BuildContext())(Output(audio=audio), Batch(target=target)).tolist()


def rows(audio, target):
    """Yield pairs of samples of each item, all channels in a row."""
    for found, wanted in zip(audio.flatten(1).tolist(), target.flatten(1).tolist(), strict=True):
        yield list(zip(found, wanted, strict=True))


def test_cosine_is_one_minus_the_cosine_of_the_angle():
    pairs = signals()
    expected = [
        1 - sum(a * b for a, b in row) / math.sqrt(sum(a * a for a, _ in row) * sum(b * b for _, b in row))
        for row in rows(*pairs)
    ]
    assert measured(Cosine(floor=-200), *pairs) == pytest.approx(expected, rel=1e-12)


@pytest.mark.parametrize(("gain", "expected"), [(0.01, 0.0), (30.0, 0.0), (-2.0, 2.0)])
def test_cosine_hears_the_polarity_and_no_level(gain, expected):
    _, target = signals()
    assert measured(Cosine(floor=-150), gain * target, target) == pytest.approx([expected] * 3, abs=1e-6)


def test_cosine_of_silence_with_silence_is_0_and_with_a_signal_1():
    _, target = signals()
    assert measured(Cosine(), 0 * target, 0 * target) == pytest.approx([0.0] * 3, abs=1e-12)
    assert measured(Cosine(), 0 * target, target) == pytest.approx([1.0] * 3, abs=1e-3)


@given(st.floats(1e-3, 10))
@settings(max_examples=30, deadline=None)
def test_smooth_l1_is_a_square_up_to_beta_and_a_magnitude_beyond(beta):
    pairs = signals()
    expected = [
        sum(e * e / (2 * beta) if e < beta else e - beta / 2 for e in (abs(a - b) for a, b in row)) / len(row)
        for row in rows(*pairs)
    ]
    assert measured(SmoothL1(beta=beta), *pairs) == pytest.approx(expected, rel=1e-12)


def test_smooth_l1_of_a_small_beta_is_l1():
    pairs = signals()
    assert measured(SmoothL1(beta=1e-9), *pairs) == pytest.approx(measured(L1(), *pairs), abs=1e-9)


def curve(samples):
    """Return Schroeder's curve one sample at a time."""
    return [sum(x * x for x in samples[n:]) for n in range(len(samples))]


@pytest.mark.parametrize("floor", [-60.0, -20.0])
def test_energy_decay_is_the_mean_difference_of_the_curves_in_decibels(floor):
    audio, target = signals()
    expected = []
    for found, wanted in zip(audio.tolist(), target.tolist(), strict=True):
        apart = []
        for a, b in zip(found, wanted, strict=True):
            one, other = curve(a), curve(b)
            least = 10 ** (floor / 10) * other[0] + 1e-10
            apart += [
                abs(10 * math.log10((x + least) / (y + least))) for x, y in zip(one, other, strict=True)
            ]
        expected.append(sum(apart) / len(apart))
    assert measured(EnergyDecay(floor=floor), audio, target) == pytest.approx(expected, rel=1e-9)


def test_energy_decay_of_two_reverberation_times_is_the_area_between_two_lines():
    rate, seconds = 8000, 4.0
    time = torch.arange(round(rate * seconds), dtype=torch.float64)[None, None] / rate
    # Decays that the end of the signal does not cut: 60 dB in 1 s and in 0.5 s, equally loud at the start.
    slow, fast = (math.sqrt(1 / t) * 10 ** (-3 * time / t) for t in (1.0, 0.5))
    (found,) = measured(EnergyDecay(floor=-60), fast, slow)
    # They part by 60 dB/s until the fast one is at the floor, after 0.5 s, and meet there after 1 s.
    assert found == pytest.approx((0.5 * 30 / 2 + 0.5 * 30 / 2) / seconds, rel=0.05)


def test_energy_decay_of_a_gain_is_its_decibels():
    _, target = signals()
    assert measured(EnergyDecay(floor=-139), 0.5 * target, target) == pytest.approx(
        [20 * math.log10(2)] * 3, abs=0.01
    )


def test_energy_decay_keeps_its_digits_over_a_minute_in_float32():
    draw = torch.Generator().manual_seed(1)
    time = torch.arange(48000 * 60) / 48000
    target = torch.randn(1, 1, len(time), generator=draw) * 10 ** (-3 * time / 20)
    audio = 1.1 * target
    expected = measured(EnergyDecay(), audio.double(), target.double())
    assert measured(EnergyDecay(), audio, target) == pytest.approx(expected, rel=1e-6)
