"""Noise that has a spectrum and follows a level."""

from __future__ import annotations

import numpy as np
import pytest
import torch
from scipy.signal import butter, lfilter, welch

from fxkit_signal.noise_like import average_spectrum, noise_like


def low_noise(samples, seed=0):
    """Return white noise behind a low-pass at an eighth of the rate."""
    white = np.random.default_rng(seed).normal(size=samples)
    return torch.from_numpy(lfilter(*butter(4, 0.25), white)).float()[None]


def test_the_noise_has_the_recordings_spectrum():
    spectrum = average_spectrum([low_noise(60_000), low_noise(30_000, 1)])
    made = noise_like(low_noise(120_000, 2), spectrum)[0].numpy()
    _, power = welch(made, nperseg=256)
    _, expected = welch(low_noise(120_000, 3)[0].numpy(), nperseg=256)
    decibels = 10 * np.log10(power / expected)
    assert np.abs(decibels[2:40]).max() < 1.5
    assert power[60:].max() < 0.02 * power[2:30].mean()


def test_the_noise_is_as_loud_as_the_recording_all_along():
    level = torch.linspace(0, 1, 48_000)[None] ** 2
    made = noise_like(level * low_noise(48_000, 4), average_spectrum([low_noise(48_000)]))
    for part in range(8_192, 48_000, 8_192):
        here = made[0, part - 4_096 : part + 4_096].square().mean().sqrt()
        wanted = (level * low_noise(48_000, 4))[0, part - 4_096 : part + 4_096].square().mean().sqrt()
        assert float(here / wanted) == pytest.approx(1, abs=0.12)


def test_silence_gives_silence_and_short_recordings_are_taken():
    made = noise_like(torch.zeros(2, 300), average_spectrum([torch.ones(1, 10)]))
    assert torch.equal(made, torch.zeros(2, 300))


def test_it_is_the_same_noise_each_time_and_leaves_others_alone():
    torch.manual_seed(5)
    expected = torch.rand(3)
    torch.manual_seed(5)
    spectrum = average_spectrum([low_noise(9_000)])
    first, second = (noise_like(low_noise(9_000, 7), spectrum) for _ in range(2))
    assert torch.equal(first, second)
    assert torch.equal(torch.rand(3), expected)
