"""Overviews keep what pictures need: loudest part, extremes, frequencies where they are."""

from __future__ import annotations

import numpy as np
import pytest

from fxkit_signal.overview import envelope, log_spectrogram, loudest_start


def test_loudest_part_is_found_as_by_trying_all():
    random = np.random.default_rng(3)
    audio = random.normal(size=(2, 1000)) * np.abs(np.sin(np.arange(1000) / 150))
    length = 160
    starts = range(0, 1000 - length + 1, length // 16)
    energies = [sum(float(v) ** 2 for v in audio[:, s : s + length].ravel()) for s in starts]
    assert loudest_start(audio, length) == list(starts)[int(np.argmax(energies))]


@pytest.mark.parametrize("length", [1000, 5000])
def test_a_short_recording_is_taken_from_its_start(length):
    assert loudest_start(np.ones((1, 1000)), length) == 0


def test_envelope_holds_the_extremes_of_all_channels():
    audio = np.array([[0.0, 1, 2, 3, 4, 5, 6, 7], [0, -1, 0, 0, -9, 0, 0, 0]])
    low, high = envelope(audio, 4)
    np.testing.assert_array_equal(low, [-1, 0, -9, 0])
    np.testing.assert_array_equal(high, [1, 3, 5, 7])
    assert envelope(audio, 100)[0].size == 8


@pytest.mark.parametrize("frequency", [110.0, 440.0, 3000.0])
def test_a_tone_stands_in_the_band_of_its_frequency(frequency):
    rate = 16000
    tone = np.sin(2 * np.pi * frequency * np.arange(rate) / rate)
    power, bands = log_spectrogram(tone, rate, columns=50, bands=120)
    assert power.shape == (120, 50)
    found = bands[power[:, 10:40].mean(1).argmax()]
    # Within the half width of a Hann window's main lobe.
    assert abs(found - frequency) < 2 * rate / 512
    ratios = bands[1:] / bands[:-1]
    np.testing.assert_allclose(ratios, ratios[0])


def test_power_is_that_of_the_windowed_sum():
    rate, size = 16000, 512
    audio = np.random.default_rng(4).normal(size=rate)
    power, _ = log_spectrogram(audio, rate, columns=10, bands=30)
    start = int(np.linspace(0, rate, 10, endpoint=False)[5])
    frame = np.pad(audio, (size // 2, size))[start : start + size] * np.hanning(size)
    dense = [
        abs(sum(frame * np.exp(-2j * np.pi * k * np.arange(size) / (4 * size)))) ** 2 for k in range(8, 1024)
    ]
    assert np.isclose(power[:, 5].max(), max(dense))
