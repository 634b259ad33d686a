"""Spectra at any frequencies, and group delays, against their sums."""

from __future__ import annotations

import numpy as np
import torch

from fxkit_signal.dtft import dtft, group_delay, log_frequencies

RATE = 1000.0


def summed(signal, frequencies):
    n = np.arange(signal.shape[-1])
    return np.array([(signal * np.exp(-2j * np.pi * f / RATE * n)).sum(-1) for f in frequencies]).T


def test_the_transform_is_the_sum():
    rng = np.random.default_rng(0)
    frequencies = np.array([0.0, 3.3, 20.0, 249.9, 500.0])
    for samples in (1, 63, 64, 65, 300):
        signal = rng.standard_normal((2, samples))
        found = dtft(torch.from_numpy(signal), torch.from_numpy(frequencies), RATE)
        assert np.allclose(found.numpy(), summed(signal, frequencies), atol=1e-11)


def test_a_late_impulse_has_its_delay_everywhere():
    signal = torch.zeros(100, dtype=torch.float64)
    signal[37] = -0.5
    assert torch.allclose(
        group_delay(signal, torch.tensor([1.0, 50.0, 400.0]), RATE), torch.tensor(37.0).double()
    )


def test_the_group_delay_is_the_slope_of_the_phase():
    impulse = 0.9 ** np.arange(400)
    frequencies = np.array([10.0, 100.0, 333.0])
    step = 1e-3
    turns = [np.angle(summed(impulse, frequencies + side)) for side in (-step, step)]
    slope = -(turns[1] - turns[0]) / (2 * np.pi * 2 * step) * RATE
    found = group_delay(torch.from_numpy(impulse), torch.from_numpy(frequencies), RATE)
    assert np.allclose(found.numpy(), slope, rtol=1e-5)


def test_silence_has_no_group_delay_and_no_nan():
    assert group_delay(torch.zeros(10), torch.tensor([10.0]), RATE).tolist() == [0.0]


def test_frequencies_rise_in_even_ratios_between_both_ends():
    found = log_frequencies(20.0, 24000.0, 24).numpy()
    assert found[0] == 20.0
    assert np.isclose(found[-1], 24000.0)
    ratios = found[1:] / found[:-1]
    assert np.allclose(ratios, ratios[0])
    assert ratios[0] <= 2 ** (1 / 24) + 1e-12
