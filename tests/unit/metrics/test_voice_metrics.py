"""Metrics of pitch and voicing, on tones whose pitch is known."""

from __future__ import annotations

import math

import pytest
import torch

import fxkit_signal.pitch
from fxkit.context import BuildContext
from fxkit.values import Batch, Output
from fxkit_metrics.f0_error import F0Error
from fxkit_metrics.raw_pitch_accuracy import RawPitchAccuracy
from fxkit_metrics.voicing_f1 import VoicingF1

RATE = 16000
CTX = BuildContext(sample_rate=RATE)


def voice(frequency, seconds=1.0):
    time = torch.arange(round(RATE * seconds)) / RATE
    return sum(0.2 / k * torch.sin(2 * math.pi * k * frequency * time) for k in range(1, 6))[None, None]


def silence(seconds=1.0):
    return torch.zeros(1, 1, round(RATE * seconds))


def measured(spec, audio, target):
    return float(spec.build(CTX)(Output(audio=audio), Batch(target=target)))


@pytest.mark.parametrize("cents", [0, 10, -30, 80])
def test_f0_error_is_the_detuning_in_cents(cents):
    found = measured(F0Error(), voice(220 * 2 ** (cents / 1200)), voice(220.0))
    assert found == pytest.approx(abs(cents), abs=1.0)


def test_f0_error_counts_at_most_an_octave_and_that_where_nothing_is_shared():
    assert measured(F0Error(), voice(900.0), voice(110.0)) == pytest.approx(1200.0)
    assert measured(F0Error(), silence(), voice(220.0)) == 1200.0
    assert measured(F0Error(), silence(), silence()) == 0.0


@pytest.mark.parametrize(("cents", "accuracy"), [(0, 1.0), (40, 1.0), (-60, 0.0)])
def test_raw_pitch_accuracy_counts_frames_within_fifty_cents(cents, accuracy):
    found = measured(RawPitchAccuracy(), voice(220 * 2 ** (cents / 1200)), voice(220.0))
    assert found == pytest.approx(accuracy, abs=0.03)


def test_raw_pitch_accuracy_counts_unvoiced_frames_of_the_output_as_wrong():
    half = torch.cat((voice(220.0), silence()), dim=-1)
    whole = voice(220.0, 2.0)
    assert measured(RawPitchAccuracy(), half, whole) == pytest.approx(0.5, abs=0.03)


def test_a_wider_tolerance_lets_more_count():
    assert measured(RawPitchAccuracy(tolerance=100.0), voice(220 * 2 ** (80 / 1200)), voice(220.0)) > 0.97


def test_voicing_f1_is_the_harmonic_mean_of_precision_and_recall():
    half = torch.cat((voice(220.0), silence()), dim=-1)
    whole = voice(220.0, 2.0)
    assert measured(VoicingF1(), half, whole) == pytest.approx(2 / 3, abs=0.03)
    assert measured(VoicingF1(), whole, half) == pytest.approx(2 / 3, abs=0.03)
    assert measured(VoicingF1(), half, half) == 1.0
    assert measured(VoicingF1(), silence(), silence()) == 1.0


def test_several_metrics_of_one_batch_follow_each_pitch_once(monkeypatch):
    followed = []
    track = fxkit_signal.pitch.track_pitch

    def counted(*args, **options):
        followed.append(1)
        return track(*args, **options)

    monkeypatch.setattr(fxkit_signal.pitch, "track_pitch", counted)
    output, batch = Output(audio=voice(220.0)), Batch(target=voice(221.0))
    for spec in (F0Error(), RawPitchAccuracy(), VoicingF1()):
        spec.build(CTX)(output, batch)
    assert len(followed) == 2


def test_a_ceiling_above_what_the_rate_allows_is_refused():
    with pytest.raises(ValueError, match="at most 4000 Hz"):
        F0Error(ceiling=5000.0).build(CTX)
