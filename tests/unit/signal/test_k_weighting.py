"""The K-weighting against the table of ITU-R BS.1770-4."""

from __future__ import annotations

import math

import pytest
import torch

from fxkit_signal.biquad import frequency_response, sosfilt
from fxkit_signal.loudness import k_weighting, loudness_units

TABLE = [
    [1.53512485958697, -2.69169618940638, 1.19839281085285, 1.0, -1.69065929318241, 0.73248077421585],
    [1.0, -2.0, 1.0, 1.0, -1.99004745483398, 0.99007225036621],
]


def test_coefficients_at_48_khz_are_those_of_the_standard():
    assert torch.allclose(k_weighting(48000), torch.tensor(TABLE, dtype=torch.float64), rtol=0, atol=1e-8)


@pytest.mark.parametrize("rate", [32000, 44100, 96000])
def test_other_rates_have_the_same_response(rate):
    frequency = torch.logspace(1, 3.7, 50, dtype=torch.float64)
    here, there = (
        frequency_response(k_weighting(fs)[None], frequency, fs).abs().log10() * 20 for fs in (rate, 48000)
    )
    assert (here - there).abs().max() < 0.15


def test_a_full_scale_sine_of_997_hz_reads_minus_3_01_lufs():
    time = torch.arange(96000, dtype=torch.float64) / 48000
    weighted, _ = sosfilt(torch.sin(2 * math.pi * 997 * time)[None, None], k_weighting(48000)[None])
    assert loudness_units(weighted[..., 48000:].square().mean()).item() == pytest.approx(-3.01, abs=0.01)
