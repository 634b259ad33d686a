"""The gain of a device from recordings of it."""

from __future__ import annotations

import numpy as np
import torch

from fxkit_signal.dtft import log_frequencies
from fxkit_signal.transfer import cross_spectra, transfer_gain

RATE = 16000.0
FREQUENCIES = log_frequencies(50.0, 8000.0, 12)


def noise(seed, seconds=6.0):
    return torch.randn(round(seconds * RATE), generator=torch.Generator().manual_seed(seed))


def estimate(*pairs):
    gain, coherence = transfer_gain(cross_spectra(pairs, RATE), FREQUENCIES, RATE)
    return gain.numpy(), coherence.numpy()


def test_a_filter_that_is_late_gives_its_gain_and_full_coherence():
    dry, taps = noise(0), np.array([0.0] * 40 + [0.6, 0.3, 0.1])
    wet = torch.from_numpy(np.convolve(dry.numpy(), taps)[: len(dry)])
    gain, coherence = estimate((dry, wet))
    z = np.exp(-2j * np.pi * FREQUENCIES.numpy() / RATE)
    expected = np.abs(0.6 + 0.3 * z + 0.1 * z**2)
    assert np.abs(20 * np.log10(gain / expected)).max() < 0.3
    assert coherence.min() > 0.95


def test_noise_of_the_device_lowers_the_coherence_and_not_the_gain():
    dry = noise(0, 20.0)
    gain, coherence = estimate((dry, 0.5 * dry + 0.5 * noise(1, 20.0)))
    middle = FREQUENCIES.numpy() > 200
    assert np.abs(20 * np.log10(gain[middle] / 0.5)).max() < 0.5
    assert np.abs(coherence[middle] - 0.5).max() < 0.1


def test_recordings_add_up_and_short_ones_are_left_out():
    dry = noise(0)
    gain, _ = estimate((dry, 2 * dry), (dry[:100], 0 * dry[:100]))
    assert np.allclose(gain, 2.0)


def test_where_nothing_went_in_there_is_no_gain_and_no_coherence():
    gain, coherence = estimate((torch.zeros(20000), noise(0)[:20000]))
    assert np.isnan(gain).all()
    assert (coherence == 0).all()
