"""Metrics of level, crest, brightness and attack, against closed forms and sums written out."""

from __future__ import annotations

import math

import numpy as np
import pytest
import torch

from fxkit.context import BuildContext
from fxkit.values import Batch, Output
from fxkit_metrics.crest_factor_difference import CrestFactorDifference
from fxkit_metrics.loudness_error import LoudnessError
from fxkit_metrics.lufs_difference import LUFSDifference
from fxkit_metrics.mape import MAPE
from fxkit_metrics.spectral_centroid_error import SpectralCentroidError
from fxkit_metrics.transient_error import TransientError
from fxkit_signal.programme_loudness import integrated_loudness

RATE = 48000
CTX = BuildContext(sample_rate=RATE)


def noise(seed, *shape):
    return 0.2 * torch.randn(*shape, generator=torch.Generator().manual_seed(seed), dtype=torch.float64)


def measured(spec, audio, target, ctx=CTX):
    return spec.build(ctx)(Output(audio=audio), Batch(target=target))


def tone(frequency, seconds=2.0, level=0.0, rate=RATE):
    time = torch.arange(round(rate * seconds), dtype=torch.float64) / rate
    return 10 ** (level / 20) * torch.sin(2 * math.pi * frequency * time)[None, None]


def test_mape_is_the_mean_share_of_the_error():
    audio, target = noise(0, 2, 2, 50), noise(1, 2, 2, 50)
    target[0, 0, :5] = 0
    expected = [
        sum(
            abs(a - b) / max(abs(b), 0.01)
            for a, b in zip(x.flatten().tolist(), y.flatten().tolist(), strict=True)
        )
        / 100
        for x, y in zip(audio, target, strict=True)
    ]
    assert measured(MAPE(floor=0.01), audio, target).tolist() == pytest.approx(expected, rel=1e-12)


# BS.1770-4, tables 1 and 2: the filters at 48 kHz, numerator and denominator.
SHELF = ((1.53512485958697, -2.69169618940638, 1.19839281085285), (-1.69065929318241, 0.73248077421585))
LOW_CUT = ((1.0, -2.0, 1.0), (-1.99004745483398, 0.99007225036621))


def biquad(samples, numerator, denominator):
    x1 = x2 = y1 = y2 = 0.0
    found = []
    for x in samples:
        y = numerator[0] * x + numerator[1] * x1 + numerator[2] * x2
        y -= denominator[0] * y1 + denominator[1] * y2
        x1, x2, y1, y2 = x, x1, y, y1
        found.append(y)
    return found


def by_the_standard(channels):
    """Measure the loudness in LUFS of lists of samples at 48 kHz, gate by gate."""
    weighted = [biquad(biquad(channel, *SHELF), *LOW_CUT) for channel in channels]
    square = np.sum(np.square(weighted), axis=0)
    powers = [square[k : k + 19200].mean() for k in range(0, len(square) - 19200 + 1, 4800)]
    units = lambda power: -0.691 + 10 * math.log10(power)  # noqa: E731
    above = [power for power in powers if units(power) > -70]
    threshold = units(np.mean(above)) - 10
    return units(np.mean([power for power in above if units(power) > threshold]))


class TestIntegratedLoudness:
    def test_a_full_scale_tone_at_997_hz_in_one_channel_reads_minus_3_01(self):
        assert float(integrated_loudness(tone(997.0, 4.0), RATE)) == pytest.approx(-3.01, abs=0.02)

    def test_the_same_tone_in_both_channels_is_3_01_louder(self):
        both = tone(997.0, 4.0, -23.0).expand(-1, 2, -1)
        assert float(integrated_loudness(both, RATE)) == pytest.approx(-23.0, abs=0.05)

    # EBU Tech 3341 (2016), table 1: stereo sines of 1 kHz, seconds and dBFS of each part; read to 0.1 LU.
    @pytest.mark.parametrize(
        ("parts", "expected"),
        [
            ([(20, -23)], -23.0),
            ([(20, -33)], -33.0),
            ([(10, -36), (60, -23), (10, -36)], -23.0),
            ([(10, -72), (10, -36), (60, -23), (10, -36), (10, -72)], -23.0),
            ([(20, -26), (20.1, -20), (20, -26)], -23.0),
        ],
    )
    def test_minimum_requirements_of_the_ebu(self, parts, expected):
        programme = torch.cat([tone(1000.0, seconds, level) for seconds, level in parts], dim=-1)
        both = programme.float().expand(-1, 2, -1)
        assert float(integrated_loudness(both, RATE)) == pytest.approx(expected, abs=0.1)

    def test_it_follows_the_standard_sample_by_sample_and_block_by_block(self):
        audio = torch.cat(
            (0.01 * noise(0, 1, 2, 24000), noise(1, 1, 2, 40000), 1e-6 * noise(2, 1, 2, 8000)), dim=-1
        )
        assert float(integrated_loudness(audio, RATE)) == pytest.approx(
            by_the_standard(audio[0].tolist()), abs=1e-3
        )

    def test_silence_and_next_to_nothing_read_the_gate(self):
        assert float(integrated_loudness(torch.zeros(1, 1, RATE), RATE)) == -70.0
        assert float(integrated_loudness(tone(997.0, 1.0, -90.0), RATE)) == -70.0

    def test_a_signal_shorter_than_a_block_is_one_block(self):
        assert math.isfinite(float(integrated_loudness(tone(997.0, 0.1), RATE)))


@pytest.mark.parametrize("gain", [0.5, 2.0])
def test_lufs_difference_of_a_gain_is_its_decibels(gain):
    target = tone(440.0, level=-20.0)
    found = float(measured(LUFSDifference(), gain * target, target))
    assert found == pytest.approx(abs(20 * math.log10(gain)), abs=1e-6)


def test_crest_factors_of_sine_and_square_differ_by_3_01_db():
    sine, square = tone(100.0), torch.sign(tone(100.0)) * 0.3
    assert float(measured(CrestFactorDifference(floor=-150), square, sine)) == pytest.approx(3.01, abs=0.01)


def test_crest_factor_difference_follows_its_definition():
    audio, target = noise(0, 2, 2, 50), noise(1, 2, 2, 50)

    def crest(item):
        samples = item.flatten().tolist()
        level = math.sqrt(sum(x * x for x in samples) / len(samples) + 1e-8)
        return 20 * math.log10((max(abs(x) for x in samples) + 1e-4) / level)

    expected = [abs(crest(a) - crest(b)) for a, b in zip(audio, target, strict=True)]
    assert measured(CrestFactorDifference(), audio, target).tolist() == pytest.approx(expected, rel=1e-9)


def test_crest_factor_does_not_hear_a_gain():
    target = noise(0, 2, 2, 4000)
    assert float(measured(CrestFactorDifference(floor=-150), 0.1 * target, target).max()) < 1e-5


def test_spectral_centroid_error_is_the_distance_of_two_tones():
    found = float(measured(SpectralCentroidError(floor=-200), tone(3000.0), tone(1000.0)))
    assert found == pytest.approx(2000.0, rel=0.01)


def test_spectral_centroid_error_follows_its_definition():
    audio, target = noise(0, 1, 1, 900), noise(1, 1, 1, 900)
    size, window = 256, 0.5 - 0.5 * np.cos(2 * np.pi * np.arange(256) / 256)
    floor = 1e-5 * window.sum() / 2
    total, weights = 0.0, 0.0
    for start in range(0, 900 - size + 1, size // 4):
        one, other = (
            np.abs(np.fft.rfft(window * x[0, 0, start : start + size].numpy())) + floor
            for x in (audio, target)
        )
        hz = np.arange(size // 2 + 1) * RATE / size
        apart = abs((hz * one).sum() / one.sum() - (hz * other).sum() / other.sum())
        total, weights = total + apart * (other**2).sum(), weights + (other**2).sum()
    assert float(measured(SpectralCentroidError(fft_size=size), audio, target)) == pytest.approx(
        total / weights, rel=1e-6
    )


def test_silence_in_the_target_does_not_count_for_the_centroid():
    target = torch.cat((tone(1000.0), 0 * tone(1000.0)), dim=-1)
    audio = torch.cat((tone(1000.0), tone(5000.0)), dim=-1)
    assert float(measured(SpectralCentroidError(), audio, target)) < 50.0  # frames across the edge hear a bit


def envelope(power, milliseconds):
    pole, last, found = math.exp(-1000 / (milliseconds * RATE)), 0.0, []
    for value in power:
        last = (1 - pole) * value + pole * last
        found.append(last)
    return found


def test_transient_error_follows_its_definition():
    audio, target = noise(0, 1, 1, 600), noise(1, 1, 1, 600)
    target[..., :300] *= 0.05
    wanted, found, floor = target[0, 0].tolist(), audio[0, 0].tolist(), 1e-6
    power = [x * x for x in wanted]
    fast, slow = envelope(power, 1.0), envelope(power, 20.0)
    weights = [max(0.0, (f - s) / (f + floor)) for f, s in zip(fast, slow, strict=True)]
    error = sum(w * (a - b) ** 2 for w, a, b in zip(weights, found, wanted, strict=True)) / 600
    signal = sum(w * b * b for w, b in zip(weights, wanted, strict=True)) / 600 + floor
    assert float(measured(TransientError(), audio, target)) == pytest.approx(error / signal, rel=1e-6)


def test_transient_error_hears_a_blunted_attack_and_not_a_wrong_tail():
    target = tone(300.0, 0.5) * torch.exp(-torch.arange(RATE // 2) / 4000.0)
    target = torch.cat((torch.zeros(1, 1, 4800, dtype=torch.float64), target), dim=-1)
    blunt, tail = target.clone(), target.clone()
    blunt[..., 4800:5040] = 0
    tail[..., 9000:] *= 1.5
    spec = TransientError()
    assert float(measured(spec, blunt, target)) > 0.3
    assert float(measured(spec, tail, target)) < 0.01


def test_loudness_error_of_half_the_amplitude_is_six_decibels():
    target = tone(1000.0, level=-10.0)
    assert float(measured(LoudnessError(), 0.5 * target, target)) == pytest.approx(6.02, abs=0.01)


@pytest.mark.parametrize(("frequency", "weight"), [(100.0, -19.1), (10000.0, -2.5)])
def test_loudness_error_of_tones_of_one_amplitude_is_what_the_weighting_takes(frequency, weight):
    # IEC 61672-1, table 3.
    found = measured(LoudnessError(), tone(frequency), tone(1000.0))
    assert float(found) == pytest.approx(-weight, abs=0.2)


def test_loudness_error_of_silence_is_the_distance_to_the_floor():
    target = tone(1000.0, level=-20.0)
    assert float(measured(LoudnessError(floor=-70.0), 0 * target, target)) == pytest.approx(50.0, abs=0.2)
    assert float(measured(LoudnessError(), 0 * target, 0 * target)) == 0.0
