import math

import numpy as np
import pytest
import torch
from hypothesis import given, settings
from hypothesis import strategies as st

from fxkit_signal.loudness import a_weighting, a_weighting_kernel, loudness

# IEC 61672-1:2013, table 3: nominal frequency in Hz and A-weighting in dB, to one decimal.
TABLE = {
    31.5: -39.4,
    63: -26.2,
    125: -16.1,
    250: -8.6,
    500: -3.2,
    1000: 0.0,
    2000: 1.2,
    4000: 1.0,
    8000: -1.1,
    16000: -6.6,
}


def exact(nominal):
    """Return the exact frequency of a nominal third-octave band."""
    return 1000 * 10 ** (round(10 * math.log10(nominal / 1000)) / 10)


def sine(hertz, rate, seconds=1.0, level=1.0):
    return level * torch.sin(
        2 * math.pi * hertz * torch.arange(int(seconds * rate), dtype=torch.float64) / rate
    )


def middle(values):
    return values[len(values) // 4 : -len(values) // 4]


def test_curve_follows_the_table_of_the_standard():
    for nominal, expected in TABLE.items():
        got = 20 * math.log10(a_weighting(torch.tensor(exact(nominal))).item())
        assert got == pytest.approx(expected, abs=0.06)


@pytest.mark.parametrize("rate", [16000, 44100, 48000])
@pytest.mark.parametrize("hop", [64, 480])
def test_sines_of_full_scale_read_the_curve(rate, hop):
    for nominal, expected in TABLE.items():
        if nominal > 0.45 * rate:
            continue
        found = middle(loudness(sine(exact(nominal), rate).float(), rate, hop, floor=-100.0))
        assert found.mean().item() == pytest.approx(expected, abs=0.2)
        assert (found - expected).abs().max() < 0.5


def test_slow_sweep_stays_within_half_a_decibel_of_the_curve():
    rate, seconds = 32000, 20
    time = torch.arange(seconds * rate, dtype=torch.float64) / rate
    hertz = 40 * 2 ** (8 * time / seconds)
    phase = 2 * math.pi * torch.cumsum(hertz / rate, 0)
    found = loudness(torch.sin(phase).float(), rate, 320)[:-1]
    expected = 20 * torch.log10(a_weighting(hertz[::320]))
    assert (found - expected)[5:-5].abs().max() < 0.5


def test_full_scale_at_one_kilohertz_reads_zero_edges_included():
    found = loudness(sine(1000, 16000).float(), 16000, 64)
    assert middle(found).abs().max() < 0.01
    assert found.abs().max() < 0.5


@settings(deadline=None, max_examples=20)
@given(st.floats(0.01, 1.0), st.integers(0, 2**31))
def test_twice_the_amplitude_is_six_decibels_more(level, seed):
    sound = torch.randn(4000, generator=torch.Generator().manual_seed(seed)) * level
    difference = loudness(2 * sound, 16000, 64) - loudness(sound, 16000, 64)
    torch.testing.assert_close(difference, torch.full_like(difference, 20 * math.log10(2)), atol=1e-3, rtol=0)


def test_frames_equal_a_sum_over_samples():
    rate, hop, half = 8000, 50, 128
    sound = torch.randn(1200, dtype=torch.float64)
    kernel = a_weighting_kernel(rate).numpy()
    filtered = np.convolve(sound.numpy(), kernel)[len(kernel) // 2 :][: len(sound)]
    got = loudness(sound, rate, hop, window=2 * half / rate)
    for frame in range(len(sound) // hop + 1):
        total = weight = 0.0
        for offset in range(-half, half + 1):
            place = frame * hop + offset
            if 0 <= place < len(sound):
                w = 0.5 + 0.5 * math.cos(math.pi * offset / half)
                total, weight = total + w * filtered[place] ** 2, weight + w
        assert got[frame].item() == pytest.approx(10 * math.log10(2 * total / weight), abs=1e-9)


def test_frames_are_centred_on_their_samples():
    sound = torch.zeros(16000, dtype=torch.float64)
    sound[4800] = 1.0
    found = loudness(sound, 16000, 64, floor=-120.0)
    assert int(found.argmax()) == 4800 // 64
    torch.testing.assert_close(found[65:86], found[65:86].flip(0), atol=1e-6, rtol=0)


@pytest.mark.parametrize("samples", [0, 1, 63, 64, 5000])
def test_silence_reads_the_floor(samples):
    found = loudness(torch.zeros(samples), 16000, 64, floor=-70.0)
    torch.testing.assert_close(found, torch.full((samples // 64 + 1,), -70.0))


def test_long_recordings_read_the_same_in_pieces():
    rate, hop = 16000, 64
    sound = torch.randn(40 * rate, generator=torch.Generator().manual_seed(3)) * 0.1
    whole = loudness(sound, rate, hop)
    start = 100 * hop
    piece = loudness(sound[start : start + 20 * rate], rate, hop)
    inner = slice(100, -100)
    torch.testing.assert_close(whole[100 : 100 + len(piece)][inner], piece[inner], atol=1e-3, rtol=0)
