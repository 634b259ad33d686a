import numpy as np
import pytest
import torch
from hypothesis import given, settings
from hypothesis import strategies as st
from scipy.signal import butter, lfilter

from fxkit_signal.alignment import align_report, fractional_shift

RATE = 48000


def material(seconds=1.0, seed=0, rate=RATE):
    """Noise with the slope of music, in bursts, without anything in the last tenth of the spectrum."""
    generator = np.random.default_rng(seed)
    samples = int(seconds * rate)
    spectrum = np.fft.rfft(generator.standard_normal(samples))
    share = np.linspace(0, 1, len(spectrum))
    spectrum *= np.clip((0.95 - share) / 0.05, 0, 1) / np.sqrt(share + 1e-3)
    bursts = 0.2 + (np.arange(samples) // (rate // 8) % 3 == 0)
    audio = np.fft.irfft(spectrum, samples) * bursts
    return audio / np.abs(audio).max()


def delayed(audio, samples):
    """Delay by a turn of the phases of the zero-padded spectrum."""
    padded = np.fft.rfft(audio, 2 * len(audio))
    turn = np.exp(-2j * np.pi * np.arange(len(padded)) * samples / (2 * len(audio)))
    return np.fft.irfft(padded * turn)[: len(audio)]


def report(dry, wet, rate=RATE):
    return align_report(torch.tensor(dry).float(), torch.tensor(wet).float(), rate)


@pytest.mark.parametrize("latency", [37.25, -37.25, 0.0, 0.5, 3.1, 500.75, -19000.4])
@pytest.mark.parametrize("rate", [16000, 48000])
def test_delay_polarity_and_gain_are_recovered(latency, rate):
    dry = material(rate=rate)
    latency = latency * rate / 48000
    wet = -(10 ** (-3 / 20)) * delayed(dry, latency)
    found = report(dry, wet, rate)
    assert found.latency == pytest.approx(latency, abs=0.05)
    assert found.polarity == -1
    assert found.gain_db == pytest.approx(-3, abs=0.05)
    assert found.confidence > 0.9


@settings(deadline=None, max_examples=10)
@given(st.floats(-300, 300), st.sampled_from([1, -1]))
def test_noise_twenty_decibels_below_does_not_matter(latency, polarity):
    dry = material()
    wet = polarity * delayed(dry, latency)
    wet = wet + 0.1 * wet.std() * np.random.default_rng(1).standard_normal(len(wet))
    found = report(dry, wet)
    assert found.latency == pytest.approx(latency, abs=0.05)
    assert found.polarity == polarity


@pytest.mark.parametrize(("kind", "corner"), [("low", 700), ("low", 4000), ("high", 400), ("high", 4000)])
@pytest.mark.parametrize(("order", "tolerance"), [(1, 0.1), (2, 0.1), (4, 0.6)])
def test_filters_delay_phases_but_are_no_latency(kind, corner, order, tolerance):
    dry = material()
    b, a = butter(order, corner, kind, fs=RATE)
    found = report(dry, -delayed(lfilter(b, a, dry), 64.5))
    assert found.latency == pytest.approx(64.5, abs=tolerance)
    assert found.polarity == -1


def test_distortion_between_filters_is_no_latency():
    dry = material()
    driven = np.tanh(30 * lfilter(*butter(1, 700, "high", fs=RATE), dry))
    wet = lfilter(*butter(1, 3000, fs=RATE), driven)
    assert report(dry, wet).latency == pytest.approx(0, abs=0.5)
    assert report(dry, delayed(wet, 20)).latency == pytest.approx(20, abs=0.5)


def test_unrelated_recordings_and_lone_tones_are_not_trusted():
    assert report(material(seed=0), material(seed=7)).confidence < 0.05
    tone = np.sin(2 * np.pi * 440 * np.arange(96000) / RATE)
    hiss = 1e-4 * np.random.default_rng(0).standard_normal((2, 96000))
    assert report(tone + hiss[0], np.roll(tone, 5) + hiss[1]).confidence < 0.2


@pytest.mark.parametrize(
    ("dry", "wet"),
    [
        (torch.zeros(1, 9000), torch.randn(1, 9000)),
        (torch.randn(1, 9000), torch.zeros(1, 9000)),
        (torch.randn(1, 3), torch.randn(1, 3)),
        (torch.zeros(1, 0), torch.zeros(1, 0)),
        (torch.full((1, 9000), torch.nan), torch.randn(1, 9000)),
        (torch.full((1, 9000), torch.inf), torch.randn(1, 9000)),
    ],
)
def test_nothing_to_compare_gives_a_report_without_confidence(dry, wet):
    found = align_report(dry, wet, RATE)
    assert (found.latency, found.polarity, found.gain_db, found.confidence) == (0.0, 1, 0.0, 0.0)


def test_one_dry_channel_serves_every_wet_channel_and_lengths_may_differ():
    dry = material()
    wet = torch.tensor(np.stack([delayed(dry, 12.5), 0.5 * delayed(dry, 12.5)]))[:, :80000]
    found = align_report(torch.tensor(dry)[None], wet, RATE)
    assert found.latency == pytest.approx(12.5, abs=0.05)
    assert found.gain_db == pytest.approx(20 * np.log10(0.75), abs=0.05)


def test_a_twentieth_of_a_second_is_enough():
    dry = material(0.05)
    assert report(dry, delayed(dry, 7.3)).latency == pytest.approx(7.3, abs=0.05)


@settings(deadline=None, max_examples=25)
@given(st.floats(-200, 200), st.floats(0.01, 0.94))
def test_shift_moves_a_sine_by_a_fraction_of_a_sample(samples, share):
    time = torch.arange(2000, dtype=torch.float64)
    omega = torch.pi * share
    shifted = fractional_shift(torch.sin(omega * time), samples)
    inside = slice(300, -300)
    assert torch.allclose(shifted[inside], torch.sin(omega * (time - samples))[inside], atol=2e-4)


def test_shift_keeps_shape_type_and_fills_with_silence():
    audio = torch.ones(2, 3, 50)
    assert torch.equal(fractional_shift(audio, 7)[..., :7], torch.zeros(2, 3, 7))
    assert torch.equal(fractional_shift(audio, -7)[..., -7:], torch.zeros(2, 3, 7))
    assert fractional_shift(audio, 2.5).shape == audio.shape
    assert fractional_shift(audio, 2.5).dtype == torch.float32
    assert not fractional_shift(audio, 400.5).any()
