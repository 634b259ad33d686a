"""Metrics of pitch and voicing, on tones whose pitch is known."""

from __future__ import annotations

import math
import types

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


# Pitches in Hz of output and target, frame by frame; 0 where there is none.
TRACKS = {
    "both": ([220.0, 230.0, 0.0, 441.0, 110.0], [220.0, 220.0, 220.0, 440.0, 0.0]),
    "octave": ([440.0, 880.0], [220.0, 220.0]),
    "never together": ([220.0, 0.0], [0.0, 220.0]),
    "no target": ([220.0, 220.0], [0.0, 0.0]),
    "no output": ([0.0, 0.0], [220.0, 220.0]),
    "neither": ([0.0, 0.0], [0.0, 0.0]),
}


def by_definition(found, expected):
    """Return error in cents, accuracy and F1 of two tracks."""
    both = [abs(1200 * math.log2(a / b)) for a, b in zip(found, expected, strict=True) if a and b]
    voiced, heard = sum(map(bool, expected)), sum(map(bool, found))
    missed = 1200.0 if voiced else 0.0
    error = sum(min(c, 1200.0) for c in both) / len(both) if both else missed
    accuracy = sum(c <= 50 for c in both) / voiced if voiced else 1.0
    precision, recall = len(both) / max(heard, 1), len(both) / max(voiced, 1)
    f1 = 2 * precision * recall / max(precision + recall, 1e-12) if voiced or heard else 1.0
    return error, accuracy, f1


@pytest.mark.parametrize("case", TRACKS)
def test_metrics_of_tracks_follow_their_definitions(case, monkeypatch):
    tracks = iter(TRACKS[case])

    def told(*args, **options):
        track = torch.tensor(next(tracks), dtype=torch.float64)
        return types.SimpleNamespace(f0=track.clamp(min=50.0), voiced=track > 0)

    monkeypatch.setattr(fxkit_signal.pitch, "track_pitch", told)
    output, batch = Output(audio=voice(220.0)), Batch(target=voice(221.0))
    found = [float(spec.build(CTX)(output, batch)) for spec in (F0Error(), RawPitchAccuracy(), VoicingF1())]
    assert found == pytest.approx(by_definition(*TRACKS[case]), abs=1e-4)


def test_each_item_has_its_own_tracks():
    audio = torch.cat((voice(220.0), silence(), voice(230.0)))
    target = torch.cat((voice(220.0), voice(220.0), silence()))
    found = F0Error().build(CTX)(Output(audio=audio), Batch(target=target)).tolist()
    assert found == pytest.approx([0.0, 1200.0, 0.0], abs=0.1)
