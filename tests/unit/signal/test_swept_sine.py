"""A synchronised sweep tells the fundamental and the harmonics of a device apart."""

from __future__ import annotations

import numpy as np
import pytest
import torch

from fxkit_signal.dtft import log_frequencies
from fxkit_signal.swept_sine import sweep_responses, sweep_signal, swept_sine

RATE = 48000.0
PEAKS = [(30.0, 0.7, -9.0), (100.0, 2.0, 6.0), (1000.0, 5.0, 12.0), (8000.0, 3.0, -6.0)]


def biquad(frequency: float, quality: float, gain_db: float, rate: float = RATE):
    """Return a peak of the audio EQ cookbook, b and a."""
    amplitude, turn = 10 ** (gain_db / 40), 2 * np.pi * frequency / rate
    alpha = np.sin(turn) / (2 * quality)
    b = np.array([1 + alpha * amplitude, -2 * np.cos(turn), 1 - alpha * amplitude])
    a = np.array([1 + alpha / amplitude, -2 * np.cos(turn), 1 - alpha / amplitude])
    return b / a[0], a / a[0]


def run_biquad(b, a, signal):
    """Filter by the recursion, sample by sample."""
    x1 = x2 = y1 = y2 = 0.0
    result = np.empty_like(signal)
    for n, x in enumerate(signal.tolist()):
        y = b[0] * x + b[1] * x1 + b[2] * x2 - a[1] * y1 - a[2] * y2
        x1, x2, y1, y2 = x, x1, y, y1
        result[n] = y
    return result


def respond(b, a, frequencies, rate=RATE):
    """Return the response of a biquad from its transfer function."""
    z = np.exp(-2j * np.pi * frequencies / rate)
    return (b[0] + b[1] * z + b[2] * z**2) / (1 + a[1] * z + a[2] * z**2)


def swept(rate=RATE, seconds=1.0, tail=0.2):
    """Return the sweep, its signal with silence behind it, and frequencies to look at."""
    sweep = swept_sine(rate, seconds)
    signal = np.concatenate([sweep_signal(sweep).numpy(), np.zeros(round(tail * rate))])
    return sweep, signal, log_frequencies(20.0, rate / 2, 24)


def measure(recorded, sweep, frequencies):
    return sweep_responses(torch.from_numpy(recorded), sweep, frequencies).numpy()


def harmonics_of(coefficients, amplitude):
    """Return the complex harmonics 1 to 5 of a polynomial driven by amplitude * sin(phi), by one period."""
    phase = 2 * np.pi * np.arange(64) / 64
    wave = sum(c * (amplitude * np.sin(phase)) ** k for k, c in enumerate(coefficients, start=1))
    # Harmonic k is Im(h exp(i k phi)), and a Fourier sum gives h / 2i.
    return np.array([2j * np.mean(wave * np.exp(-1j * k * phase)) for k in range(1, 6)])


@pytest.mark.parametrize("rate", [16000.0, 44100.0, 48000.0])
@pytest.mark.parametrize("peak", PEAKS[:3])
def test_a_biquad_gives_its_magnitude_and_phase_from_20_hz_to_near_nyquist(rate, peak):
    sweep, signal, frequencies = swept(rate, 0.5)
    b, a = biquad(*peak, rate=rate)
    found = measure(run_biquad(b, a, signal), sweep, frequencies)[0]
    ratio = found / respond(b, a, frequencies.numpy(), rate)
    heard = frequencies.numpy() <= 0.98 * rate / 2
    assert np.abs(20 * np.log10(np.abs(ratio)))[heard].max() < 0.05
    assert np.abs(np.angle(ratio))[heard].max() < 0.005


def test_a_polynomial_gives_its_fundamental_and_harmonics_in_magnitude_and_phase():
    sweep, signal, frequencies = swept()
    coefficients, amplitude = (1.0, 0.3, -0.4, 0.5, 0.6), 0.7
    recorded = sum(c * (amplitude * signal) ** k for k, c in enumerate(coefficients, start=1))
    found = measure(recorded / amplitude, sweep, frequencies)
    expected = harmonics_of(coefficients, amplitude) / amplitude
    plain = (frequencies.numpy() > 100) & (frequencies.numpy() < RATE / 2 / 12)
    for order in range(5):
        error = np.abs(found[order, plain] / expected[order] - 1)
        assert error.max() < 0.01, order + 1


def test_weak_low_harmonics_are_told_to_3_db_from_20_hz():
    sweep, signal, frequencies = swept(seconds=1.5)
    coefficients, amplitude = (1.0, 0.1, 0.2), 0.5
    recorded = sum(c * (amplitude * signal) ** k for k, c in enumerate(coefficients, start=1))
    found = measure(recorded / amplitude, sweep, frequencies)
    expected = harmonics_of(coefficients, amplitude) / amplitude
    low = frequencies.numpy() < 100
    for order in (1, 2):
        assert np.abs(20 * np.log10(np.abs(found[order, low] / expected[order]))).max() < 3


def test_filters_before_and_behind_a_polynomial_shape_each_harmonic_in_their_own_way():
    sweep, signal, frequencies = swept()
    before, behind = biquad(400.0, 1.0, 9.0), biquad(2500.0, 1.5, -9.0)
    amplitude, third = 0.1, 0.8
    driven = amplitude * run_biquad(*before, signal)
    found = measure(run_biquad(*behind, driven + third * driven**3) / amplitude, sweep, frequencies)
    f = frequencies.numpy()
    plain = (f > 60) & (f < RATE / 2 / 8)
    into = respond(*before, f)
    first = (1 + 0.75 * third * amplitude**2 * np.abs(into) ** 2) * into * respond(*behind, f)
    cubed = -0.25 * third * amplitude**2 * into**3 * respond(*behind, 3 * f)
    # Where the filters are steep, a sweep of a second is not slow enough for more.
    for order, expected, most in ((0, first, 0.05), (2, cubed, 0.3)):
        error = 20 * np.log10(np.abs(found[order] / expected))
        assert np.abs(error[plain]).max() < most, order + 1
        assert np.abs(np.angle(found[order] / expected))[plain].max() < 0.05


def test_harmonics_beyond_the_nyquist_frequency_are_not_told():
    sweep, signal, frequencies = swept()
    found = measure(signal, sweep, frequencies)
    for order in range(1, 6):
        beyond = order * frequencies.numpy() > RATE / 2 * (1 + 1e-6)
        assert np.array_equal(np.isnan(found[order - 1]), beyond)


def test_a_linear_device_has_no_harmonics_to_speak_of():
    sweep, signal, frequencies = swept()
    found = measure(run_biquad(*biquad(1000.0, 1.0, 6.0), signal), sweep, frequencies)
    heard = np.abs(found[1:])[~np.isnan(found[1:])]
    assert 20 * np.log10(heard.max()) < -60


def test_aliases_meet_harmonics_only_where_a_steady_sine_could_not_tell_them_apart():
    sweep, signal, frequencies = swept()
    found = measure(signal + 0.4 * signal**2, sweep, frequencies)
    error = np.abs(20 * np.log10(np.abs(found[0])))
    f = frequencies.numpy()
    # The second harmonic comes back at the frequency of the fundamental where that is a third of the rate.
    apart = np.abs(np.log2(f / (RATE / 3))) > 0.15
    assert error[apart & (f > 60) & (f < 0.98 * RATE / 2)].max() < 0.05
    # The step of what is rectified lies under the lowest frequencies.
    assert error[f <= 60].max() < 0.3
    assert error.max() > 0.1


def test_a_batch_gives_what_each_of_its_items_gives():
    sweep, signal, frequencies = swept(seconds=0.5)
    batch = np.stack([[signal, 0.5 * signal], [signal**2, signal**3]])
    found = measure(batch, sweep, frequencies)
    assert found.shape == (2, 2, 5, len(frequencies))
    alone = measure(batch[1, 0], sweep, frequencies)
    assert np.allclose(found[1, 0], alone, atol=1e-9, equal_nan=True)


def test_a_sweep_rises_to_the_nyquist_frequency_and_starts_at_a_zero():
    sweep = swept_sine(RATE, 1.0)
    assert abs(float(sweep_signal(sweep)[0])) < 1e-9
    last = sweep.start * np.exp(sweep.samples / RATE / sweep.constant)
    assert last == pytest.approx(RATE / 2, rel=1e-3)
    assert sweep.samples / RATE == pytest.approx(1.0, abs=0.3)


def test_too_short_a_sweep_is_refused():
    with pytest.raises(ValueError, match="too short"):
        swept_sine(RATE, 0.05)
