import math

import numpy as np
import pytest
import torch
from hypothesis import given, settings
from hypothesis import strategies as st

from fxkit_signal.pitch import YIN, cumulative_mean, refine_dips, track_pitch, weighted_difference

RATE = 16000
HOP = 64


def voice(f0, harmonics=range(1, 9), level=0.1):
    """Sum sines of falling strength along f0 [samples] in Hz, at an RMS of `level`."""
    phase = 2 * np.pi * np.cumsum(f0) / RATE
    parts = (np.sin(h * phase + h * h) / h * (h * f0 < 0.45 * RATE) for h in harmonics)
    sound = sum(parts)
    return sound * level / np.sqrt(np.mean(sound**2))


def steady(hertz, seconds=1.0):
    return np.full(int(seconds * RATE), float(hertz))


def noise(samples, level, seed=0):
    return level * np.random.default_rng(seed).standard_normal(samples)


def track(sound, **options):
    return track_pitch(torch.from_numpy(np.asarray(sound, np.float32)), RATE, HOP, **options)


def cents(found, f0):
    """Compare with the truth at the frames' own samples, k * hop."""
    truth = f0[::HOP]
    return 1200 * np.log2(found.f0.numpy()[: len(truth)] / truth)


def voicing_f1(found, truth):
    voiced = found.voiced.numpy()[: len(truth)]
    return 2 * np.sum(voiced & truth) / (np.sum(voiced) + np.sum(truth))


@pytest.mark.parametrize("size", [31, 64])
def test_difference_equals_the_sum_over_pairs(size):
    draw = np.random.default_rng(1)
    frames, weights = draw.standard_normal((3, size)), draw.random((3, size)) + 0.1
    got, power = weighted_difference(torch.from_numpy(frames), torch.from_numpy(weights), 20)
    centred = frames - (frames * weights).sum(1, keepdims=True) / weights.sum(1, keepdims=True)
    for row in range(3):
        for lag in range(20):
            pairs = [(j, j + lag) for j in range(size - lag)]
            w = np.array([weights[row, a] * weights[row, b] for a, b in pairs])
            d = np.array([(centred[row, a] - centred[row, b]) ** 2 for a, b in pairs])
            assert got[row, lag].item() == pytest.approx((w * d).sum() / w.sum(), abs=1e-9)
        square = weights[row] ** 2
        expected = (square * centred[row] ** 2).sum() / square.sum()
        assert power[row].item() == pytest.approx(expected, abs=1e-12)


def test_cumulative_mean_equals_a_loop():
    difference = torch.rand(2, 9, dtype=torch.float64)
    got = cumulative_mean(difference)
    for lag in range(1, 9):
        torch.testing.assert_close(got[:, lag], difference[:, 1 : lag + 1].mean(-1))


@given(st.floats(5.0, 60.0))
@settings(deadline=None, max_examples=40)
def test_dips_are_found_between_the_samples(period):
    lags = torch.arange(90, dtype=torch.float64)
    difference = (1 - torch.cos(2 * math.pi * lags / period))[None]
    lag = torch.tensor([[round(period)]])
    offset, depth = refine_dips(difference, lag)
    assert (lag + offset).item() == pytest.approx(period, abs=0.003)
    assert depth.item() == pytest.approx(0, abs=1e-3)


@pytest.mark.parametrize("hertz", [55, 82.41, 110, 220, 440, 880, 1318.5, 1760])
@pytest.mark.parametrize("harmonics", [(1,), range(1, 9), range(2, 9), (1, 3, 5)])
def test_tones_are_within_three_cents_edges_included(hertz, harmonics):
    f0 = steady(hertz)
    found = track(voice(f0, harmonics))
    assert np.abs(cents(found, f0)).max() < 3
    assert found.voiced.all()
    assert found.confidence.min() > 0.99


@pytest.mark.parametrize("hertz", [55, 110, 220, 440, 880, 1760])
@pytest.mark.parametrize("harmonics", [(1,), range(1, 9), range(2, 9)])
def test_noise_20_db_below_moves_the_median_by_less_than_five_cents(hertz, harmonics):
    f0 = steady(hertz, 2)
    found = track(voice(f0, harmonics) + noise(len(f0), 0.01))
    error = np.abs(cents(found, f0))
    assert np.median(error) < 5
    assert error.max() < 50
    assert found.voiced.all()


def test_noise_as_strong_as_the_tone_leaves_few_gross_errors():
    time = np.arange(8 * RATE) / RATE
    f0 = 110 * 2 ** (3 * time / 8)
    found = track(voice(f0) + noise(len(f0), 0.1), threshold=0.7)
    error = np.abs(cents(found, f0))
    assert np.mean(error > 50) < 0.02
    assert np.mean(np.abs(error - 1200) < 50) == 0


def test_confidence_is_the_periodic_share_of_power():
    f0 = steady(220, 4)
    for share in (0.99, 0.9, 0.7):
        sound = voice(f0) + noise(len(f0), 0.1 * math.sqrt(1 / share - 1))
        assert float(track(sound).confidence.median()) == pytest.approx(share, abs=0.03)


def test_noise_draws_the_pitch_neither_up_nor_down():
    rate = 48000
    moment = np.arange(15 * rate) / rate
    sound = np.sin(2 * np.pi * 220 * moment) + noise(len(moment), 0.4)
    found = track_pitch(torch.from_numpy(sound).float(), rate, rate // 100)
    error = 1200 * np.log2(found.f0.numpy() / 220)
    # A divisor that falls with the lag, as YIN's cumulative mean does, draws it 9 cents up.
    assert abs(np.mean(error)) < 5
    assert np.abs(error).max() < 60


def test_weak_high_harmonics_are_not_taken_for_the_pitch():
    moment = np.arange(RATE) / RATE
    sound = 0.2 * np.sin(2 * np.pi * 55 * moment) + 0.03 * np.sin(2 * np.pi * 1100 * moment)
    assert np.abs(cents(track(sound), steady(55))).max() < 3


def test_vibrato_and_glide_are_followed_on_the_frame_clock():
    time = np.arange(3 * RATE) / RATE
    vibrato = 440 * 2 ** (50 / 1200 * np.sin(2 * np.pi * 5.5 * time))
    assert np.median(np.abs(cents(track(voice(vibrato)), vibrato))) < 5
    glide = 110 * 2 ** (time)
    error = cents(track(voice(glide)), glide)[5:-5]
    # Half a hop of delay would read as 2.4 cents of bias on this glide.
    assert abs(np.median(error)) < 0.5
    assert np.abs(error).max() < 8


@pytest.mark.parametrize("hertz", [110, 440, 1320])
def test_decay_is_followed_down_to_the_silence_level(hertz):
    time = np.arange(2 * RATE) / RATE
    f0 = steady(hertz, 2)
    found = track(voice(f0) * np.exp(-6 * time))
    level = -20 - 20 * math.log10(math.e) * 6 * np.arange(len(found.f0)) * HOP / RATE
    assert found.voiced.numpy()[level > -56].all()
    assert not found.voiced.numpy()[level < -64].any()
    assert np.abs(cents(found, f0)).max() < 5


@pytest.mark.parametrize("level", [0.0, 1e-5, 1e-3])
def test_gaps_are_unvoiced_and_hold_the_last_pitch(level):
    first, second = voice(steady(196, 0.6)), voice(steady(740, 0.6))
    gap = np.zeros(RATE // 2)
    sound = np.concatenate([gap, first, gap, second, gap])
    found = track(sound + noise(len(sound), level))
    truth = np.concatenate([x != 0 for x in (gap, first + 1, gap, second + 1, gap)])[::HOP]
    assert voicing_f1(found, truth) >= 0.98
    deep = np.convolve(truth, np.ones(21), "same") == 0
    assert found.confidence.numpy()[: len(truth)][deep].max() == 0
    f0 = found.f0.numpy()
    for second_of_sound, expected in ((0.1, 196), (1.35, 196), (2.45, 740)):
        assert f0[int(second_of_sound * RATE / HOP)] == pytest.approx(expected, rel=0.02)


def test_melody_of_legato_leaps_keeps_the_octave():
    notes = [220, 440, 880, 293.7, 1174.7, 587.3, 196, 784, 392, 1568]
    f0 = np.concatenate([steady(hertz, 0.3) for hertz in notes])
    error = np.abs(cents(track(voice(f0)), f0))
    frames = np.arange(len(error)) * HOP / RATE % 0.3
    settled = (frames > 0.03) & (frames < 0.27)
    assert error[settled].max() < 10
    assert np.mean(error > 50) < 0.05


@pytest.mark.parametrize("sound", [np.zeros(0), np.zeros(1), np.zeros(5000), np.full(5000, 0.5)])
def test_silence_and_offset_read_the_middle_of_the_range(sound):
    found = track(sound, floor=100.0, ceiling=400.0)
    assert len(found.f0) == len(sound) // HOP + 1
    torch.testing.assert_close(found.f0, torch.full_like(found.f0, 200.0))
    assert not found.voiced.any()
    assert found.confidence.max() == 0


def test_white_noise_is_unvoiced():
    assert not track(noise(4 * RATE, 0.1)).voiced.any()


def test_constant_offset_and_level_change_nothing():
    f0 = steady(330)
    sound = voice(f0) + noise(len(f0), 0.003)
    plain = track(sound, silence=-100.0)
    for other in (track(sound + 0.5, silence=-100.0), track(sound * 0.01, silence=-100.0)):
        torch.testing.assert_close(other.f0, plain.f0, rtol=1e-4, atol=0)
        torch.testing.assert_close(other.confidence, plain.confidence, rtol=0, atol=1e-3)


def test_float32_agrees_with_float64():
    time = np.arange(2 * RATE) / RATE
    sound = torch.from_numpy(voice(80 * 2 ** (2 * time)))
    double, single = track_pitch(sound, RATE, HOP), track_pitch(sound.float(), RATE, HOP)
    torch.testing.assert_close(single.f0, double.f0.float(), rtol=5e-5, atol=0)


@settings(deadline=None, max_examples=25)
@given(st.integers(1, 4000), st.integers(1, 700), st.integers(0, 2**31))
def test_any_length_and_hop_give_finite_values_in_range(samples, hop, seed):
    sound = torch.from_numpy(noise(samples, 0.1, seed)).float()
    found = track_pitch(sound, RATE, hop, floor=80.0, ceiling=1000.0, threshold=0.9)
    assert len(found.f0) == samples // hop + 1
    assert ((found.f0 >= 79.9) & (found.f0 <= 1000.1)).all()
    assert ((found.confidence >= 0) & (found.confidence <= 1)).all()


def test_chunks_of_frames_join_without_a_seam():
    time = np.arange(12 * RATE) / RATE
    sound = torch.from_numpy(voice(200 * 2 ** (0.1 * np.sin(time)))).float()
    yin = YIN(rate=RATE, hop=16, floor=50.0, ceiling=2000.0, silence=-60.0)
    start = 6 * RATE
    whole, late = yin.candidates(sound), yin.candidates(sound[start:])
    inner = slice(200, 2000)
    best = [c.f0.gather(1, c.aperiodicity.argmin(1, keepdim=True)) for c in (whole, late)]
    later = best[0][start // 16 :][inner]
    ratio = torch.maximum(later / best[1][inner], best[1][inner] / later)
    # The dips at multiples of the period are equally deep: compare up to a whole factor.
    torch.testing.assert_close(ratio, ratio.round(), rtol=1e-4, atol=0)


def test_range_that_does_not_fit_the_rate_is_refused():
    with pytest.raises(ValueError, match="4000 Hz"):
        track_pitch(torch.zeros(100), RATE, HOP, ceiling=4001.0)
    with pytest.raises(ValueError, match="floor < ceiling"):
        track_pitch(torch.zeros(100), RATE, HOP, floor=500.0, ceiling=400.0)
