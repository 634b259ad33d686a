"""Losses of the samples, against sums written out and against closed forms."""

from __future__ import annotations

import math

import auraloss
import pytest
import torch
from hypothesis import given
from hypothesis import strategies as st

from fxkit.context import BuildContext
from fxkit.values import Batch, Output
from fxkit_losses.dc import DC
from fxkit_losses.l2 import L2
from fxkit_losses.log_cosh import LogCosh
from fxkit_losses.rms import RMS
from fxkit_losses.si_sdr import SISDR
from fxkit_losses.snr import SNR


def signals(seed=0, channels=2, samples=60):
    draw = torch.Generator().manual_seed(seed)
    audio, target = (torch.randn(3, channels, samples, generator=draw, dtype=torch.float64) for _ in range(2))
    return 0.1 * audio, 0.1 * target + 0.02


def measured(spec, audio, target):
    return spec.build(BuildContext())(Output(audio=audio), Batch(target=target))


def items(audio, target):
    """Yield each item as plain lists: channels of (output, target) pairs."""
    for found, wanted in zip(audio.tolist(), target.tolist(), strict=True):
        yield [list(zip(a, b, strict=True)) for a, b in zip(found, wanted, strict=True)]


def flat(item):
    return [pair for channel in item for pair in channel]


def mean(values):
    values = list(values)
    return math.fsum(values) / len(values)


def turned_ratio(signal, noise, floor_db):
    floor = 10 ** (floor_db / 10)
    return -10 * math.log10((signal + floor) / (noise + floor))


def test_l2_is_the_mean_square_of_the_error():
    pairs = signals()
    expected = [mean((a - b) ** 2 for a, b in flat(item)) for item in items(*pairs)]
    assert measured(L2(), *pairs).tolist() == pytest.approx(expected, rel=1e-12)


@pytest.mark.parametrize("floor", [-100.0, -20.0])
def test_rms_is_the_root_rounded_near_zero(floor):
    pairs, level = signals(), 10 ** (floor / 20)
    squares = [mean((a - b) ** 2 for a, b in flat(item)) for item in items(*pairs)]
    expected = [math.sqrt(square + level**2) - level for square in squares]
    assert measured(RMS(floor=floor), *pairs).tolist() == pytest.approx(expected, rel=1e-9)


def test_rms_has_a_gradient_at_zero_error_where_a_root_has_none():
    _, target = signals()
    audio = target.clone().requires_grad_()
    value = measured(RMS(), audio, target)
    (gradient,) = torch.autograd.grad(value.sum(), audio)
    assert value.tolist() == [0.0] * 3
    assert float(gradient.abs().max()) == 0.0


@pytest.mark.parametrize("sharpness", [0.3, 5.0, 1000.0])
def test_log_cosh_is_its_formula(sharpness):
    pairs = signals()
    expected = [
        mean(math.log(math.cosh(min(sharpness * abs(a - b), 700))) / sharpness for a, b in flat(item))
        for item in items(*pairs)
    ]
    assert measured(LogCosh(sharpness=sharpness), *pairs).tolist() == pytest.approx(expected, rel=1e-8)


@given(st.floats(-12, 9), st.floats(-3, 3))
def test_log_cosh_lies_between_its_two_limits_at_any_size(size, sharpness):
    error, a = 10.0**size, 10.0**sharpness
    audio = torch.full((1, 1, 4), error, dtype=torch.float64)
    found = float(measured(LogCosh(sharpness=a), audio, 0 * audio))
    assert 0 <= found <= min(a * error**2 / 2, error) * (1 + 1e-9)
    assert found >= error - math.log(2) / a - 1e-9 * error


def test_log_cosh_stays_finite_where_auralosss_overflows():
    audio, target = torch.full((1, 1, 8), 200.0), torch.zeros(1, 1, 8)
    assert not math.isfinite(float(auraloss.time.LogCoshLoss()(audio, target)))
    assert float(measured(LogCosh(), audio, target)) == pytest.approx(200 - math.log(2))


def test_dc_is_the_squared_mean_error_of_each_channel_over_the_power():
    pairs = signals()
    expected = [
        mean(mean(a - b for a, b in channel) ** 2 for channel in item) / mean(b * b for _, b in flat(item))
        for item in items(*pairs)
    ]
    assert measured(DC(), *pairs).tolist() == pytest.approx(expected, rel=1e-12)


def test_dc_sees_nothing_but_the_constant_part():
    _, target = signals()
    wiggle = torch.tensor([1.0, -1.0] * 30, dtype=torch.float64)
    assert float(measured(DC(), target + wiggle, target).max()) < 1e-20


def test_snr_is_the_ratio_of_powers_in_decibels_turned_over():
    pairs = signals()
    expected = [
        turned_ratio(mean(b * b for _, b in flat(item)), mean((a - b) ** 2 for a, b in flat(item)), -100)
        for item in items(*pairs)
    ]
    assert measured(SNR(), *pairs).tolist() == pytest.approx(expected, rel=1e-10)


def test_snr_at_a_known_level():
    target = torch.full((1, 1, 16), 0.5, dtype=torch.float64)
    assert float(measured(SNR(), target * 1.1, target)) == pytest.approx(-20.0, abs=1e-6)


def test_snr_of_silence_stays_within_the_floors_where_auralosss_depends_on_length():
    silence = torch.zeros(1, 1, 100, dtype=torch.float64)
    assert float(measured(SNR(floor=-90), silence, silence)) == 0.0
    loud = silence + 1.0
    assert float(measured(SNR(floor=-90), loud, silence)) == pytest.approx(90.0, abs=1e-6)
    theirs = [
        float(auraloss.time.SNRLoss(zero_mean=False)(loud[..., :n], silence[..., :n])) for n in (10, 100)
    ]
    assert theirs[0] == pytest.approx(theirs[1])
    quiet = 1e-4 * loud
    theirs = [
        float(auraloss.time.SNRLoss(zero_mean=False)(2 * quiet[..., :n], quiet[..., :n])) for n in (1, 100)
    ]
    assert abs(theirs[0] - theirs[1]) > 0.5


@pytest.mark.parametrize("zero_mean", [True, False])
def test_si_sdr_is_the_ratio_of_the_projection_to_the_rest(zero_mean):
    audio, target = signals(channels=1)
    centred = [x - zero_mean * x.mean(dim=2, keepdim=True) for x in (audio, target)]
    expected = []
    for item in items(*centred):
        pairs = flat(item)
        gain = mean(a * b for a, b in pairs) / mean(b * b for _, b in pairs)
        rest = mean((a - gain * b) ** 2 for a, b in pairs)
        expected.append(turned_ratio(mean((gain * b) ** 2 for _, b in pairs), rest, -100))
    assert measured(SISDR(zero_mean=zero_mean), audio, target).tolist() == pytest.approx(expected, rel=1e-9)


def test_si_sdr_is_auralosss_for_one_channel():
    audio, target = signals(channels=1)
    expected = [
        float(auraloss.time.SISDRLoss()(a[None], t[None])) for a, t in zip(audio, target, strict=True)
    ]
    assert measured(SISDR(), audio, target).tolist() == pytest.approx(expected, rel=1e-4)


@pytest.mark.parametrize("gain", [0.1, 3.0, -2.0])
def test_si_sdr_does_not_hear_a_gain(gain):
    audio, target = signals()
    # The floor is what hears it, by less than the hundredth of a decibel.
    expected = measured(SISDR(floor=-150), audio, target).tolist()
    assert measured(SISDR(floor=-150), gain * audio, target).tolist() == pytest.approx(expected, abs=1e-6)
