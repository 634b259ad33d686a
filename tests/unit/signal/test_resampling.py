import math

import pytest
import torch
from hypothesis import given, settings
from hypothesis import strategies as st

from fxkit_signal.resampling import resample

RATES = [8000, 16000, 22050, 44100, 48000, 96000]


def sine(hertz, rate, samples):
    return torch.sin(2 * math.pi * hertz * torch.arange(samples, dtype=torch.float64) / rate)


@settings(deadline=None, max_examples=30)
@given(st.sampled_from(RATES), st.sampled_from(RATES), st.floats(0.01, 0.89))
def test_a_sine_stays_where_it_was(rate, new_rate, share):
    hertz = share * min(rate, new_rate) / 2
    converted = resample(sine(hertz, rate, rate // 10), rate, new_rate)
    expected = sine(hertz, new_rate, len(converted))
    edge = math.ceil(70 * new_rate / min(rate, new_rate))
    assert torch.allclose(converted[edge:-edge], expected[edge:-edge], atol=1e-4)


def test_what_lies_above_the_new_band_is_removed():
    converted = resample(sine(8050.0, 48000, 24000), 48000, 16000)
    assert converted[200:-200].abs().max() < 2e-5


@given(st.integers(1, 2000), st.sampled_from(RATES), st.sampled_from(RATES))
@settings(deadline=None, max_examples=30)
def test_length_is_exact_and_type_and_channels_are_kept(samples, rate, new_rate):
    converted = resample(torch.zeros(2, samples), rate, new_rate)
    assert converted.shape == (2, -(-samples * new_rate // rate))
    assert converted.dtype == torch.float32


def test_an_impulse_keeps_its_time():
    audio = torch.zeros(1, 4800)
    audio[0, 480] = 1
    assert resample(audio, 48000, 16000)[0].argmax() == 160
    assert resample(audio, 48000, 96000)[0].argmax() == 960


def test_equal_rates_change_nothing():
    audio = torch.randn(1, 100)
    assert resample(audio, 44100, 44100) is audio


def test_a_rate_of_zero_is_refused():
    with pytest.raises(ValueError, match="positive"):
        resample(torch.zeros(1, 10), 0, 48000)
