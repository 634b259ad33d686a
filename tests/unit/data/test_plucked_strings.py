"""Plucked strings are in tune, decay, and vary."""

from __future__ import annotations

import numpy as np
import pytest

from fxkit_data._plucked_strings import RELEASE, phrase, pluck

RATE = 48_000


def sounded(frequency, force=0.5, hold=1.0, rate=RATE, seed=0):
    return pluck(np.random.default_rng(seed), rate, frequency, force, hold)


def fundamental_phase_slope(sound, frequency, rate):
    """Return the frequency at which the partial near `frequency` turns, from its phase over time."""
    n = np.arange(len(sound))
    carrier = sound * np.exp(-2j * np.pi * frequency * n / rate)
    window = int(rate / frequency) * 10
    early, late = (carrier[start : start + window] @ np.hanning(window) for start in (4 * window, 5 * window))
    return frequency + np.angle(late / early) * rate / (2 * np.pi * window)


@pytest.mark.parametrize("rate", [16_000, 44_100, 48_000])
@pytest.mark.parametrize("frequency", [41.2, 110.0, 329.63, 659.26])
def test_a_string_is_in_tune(frequency, rate):
    sound = sounded(frequency, rate=rate, hold=3.0)
    cents = 1200 * np.log2(fundamental_phase_slope(sound, frequency, rate) / frequency)
    assert abs(cents) < 3


def test_a_string_decays_and_is_damped_at_its_end():
    sound = sounded(220.0, hold=1.0)
    early, late = sound[2400:7200].std(), sound[40_000:44_800].std()
    assert late < 0.7 * early
    end = round(RATE * (1.0 + 3 * RELEASE))
    assert sound[end:].std() < 0.1 * late


def test_force_sets_level_and_brightness():
    soft, hard = (sounded(110.0, force=force) for force in (0.1, 1.0))
    bright = [np.diff(sound).std() / sound.std() for sound in (soft, hard)]
    assert hard.std() > 5 * soft.std()
    assert bright[1] > 1.2 * bright[0]


def test_a_phrase_holds_notes_and_rests():
    audio = phrase(6.0, RATE, (0, 0))
    frames = audio[: len(audio) // 2400 * 2400].reshape(-1, 2400).std(axis=1)
    assert len(audio) == 6 * RATE
    assert frames.max() > 20 * np.quantile(frames, 0.05)
    assert np.isfinite(audio).all()


def test_a_phrase_is_the_seeds_alone():
    assert (phrase(1.0, RATE, (3, 0)) == phrase(1.0, RATE, (3, 0))).all()
    assert (phrase(1.0, RATE, (3, 0)) != phrase(1.0, RATE, (4, 0))).any()
    assert (phrase(1.0, RATE, (3, 0)) != phrase(1.0, RATE, (3, 1))).any()
