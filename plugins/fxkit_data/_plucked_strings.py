"""Play phrases on plucked strings: Karplus-Strong with the extensions of Jaffe and Smith.

David Jaffe and Julius Smith, "Extensions of the Karplus-Strong plucked-string algorithm", Computer
Music Journal 7(2), 1983: a noise burst, softened for quiet notes and combed by the pick's place, runs
round a delay line whose loop filter tunes and damps it.
"""

from __future__ import annotations

import math

import numpy as np
import scipy.signal
from numpy.typing import NDArray

Signal = NDArray[np.float64]

LOW_NOTE, HIGH_NOTE = 28, 76  # MIDI: a bass's low E to a guitar's twelfth fret
CHORDS = ((0, 7, 12), (0, 7, 12, 16), (0, 7, 12, 15, 19), (0, 5, 12, 17))  # semitones over the root
LENGTHS, LENGTH_WEIGHTS = (0.18, 0.25, 0.35, 0.5, 0.8, 1.2), (0.2, 0.25, 0.2, 0.15, 0.12, 0.08)
QUIETEST = -18.0  # dB under the loudest note
BRIGHTNESS = 0.25  # weight of the older sample in the loop's averaging filter; 0.5 is the dullest
PICK_PLACE = 0.13  # of the string's length
RELEASE = 0.03  # s
PICKUP_CUTOFF = 5000.0  # Hz


def phrase(seconds: float, rate: int, seed: tuple[int, ...]) -> Signal:
    """Play single notes, chords and rests of varied pitch, force and length; [samples], unscaled."""
    rng = np.random.default_rng(seed)
    out = np.zeros(round(seconds * rate))
    time = 0.02
    while time < seconds - 0.1:
        gap = float(rng.choice(LENGTHS, p=LENGTH_WEIGHTS))
        for start, note, force, hold in _event(rng, time, gap):
            _add(out, round(start * rate), pluck(rng, rate, _frequency(note), force, hold))
        time += gap
    corner = min(PICKUP_CUTOFF, 0.4 * rate)
    picked_up: Signal = scipy.signal.lfilter(*scipy.signal.butter(2, corner, fs=rate), out)
    return picked_up


def pluck(rng: np.random.Generator, rate: int, frequency: float, force: float, hold: float) -> Signal:
    """Sound one string of `frequency` Hz for `hold` seconds, then damp it; `force` in (0, 1] is its RMS.

    Returns [samples]. The delay line is run one period at a time, so that a note costs as many steps
    as it has periods.
    """
    delay, taps = _loop(frequency, rate)
    samples = round((hold + 4 * RELEASE) * rate)
    history = delay + len(taps) - 1
    line = np.zeros(history + samples)
    burst = _burst(rng, rate / frequency, rate, force)[:samples]
    line[history : history + len(burst)] = burst
    for start in range(history, len(line), delay):
        stop = min(start + delay, len(line))
        line[start:stop] += np.convolve(line[start - history : stop - delay], taps, "valid")
    damped = np.maximum(np.arange(samples) / rate - hold, 0.0)
    return line[history:] * np.exp(-damped / RELEASE)


def _loop(frequency: float, rate: int) -> tuple[int, Signal]:
    """Return the whole-sample delay and the filter that add up to one period and damp each round."""
    period = rate / frequency
    delay = math.floor(period - BRIGHTNESS - 1)
    fraction = period - BRIGHTNESS - delay
    tuning = np.array([math.prod((fraction - j) / (k - j) for j in range(4) if j != k) for k in range(4)])
    decay_seconds = 1.2 + 5.0 * math.exp(-frequency / 300.0)
    per_round = 10 ** (-3 / (frequency * decay_seconds))
    return delay, per_round * np.convolve(tuning, [1 - BRIGHTNESS, BRIGHTNESS])


def _burst(rng: np.random.Generator, period: float, rate: int, force: float) -> Signal:
    """Return one period of noise, darker when softer, with the notches of the pick's place."""
    noise = rng.standard_normal(round(period))
    pole = math.exp(-2 * math.pi * min(600 + 7000 * force, 0.45 * rate) / rate)
    soft = scipy.signal.lfilter([1 - pole], [1, -pole], np.tile(noise - noise.mean(), 2))[len(noise) :]
    soft *= force / np.sqrt(np.mean(soft**2))
    place = max(1, round(PICK_PLACE * period))
    out = np.concatenate([soft, np.zeros(place)])
    out[place:] -= 0.8 * soft
    return out


def _event(rng: np.random.Generator, time: float, gap: float) -> list[tuple[float, float, float, float]]:
    """Choose a note, a chord or a rest: (start in s, MIDI note, force, hold in s) of each string."""
    kind = rng.random()
    force = 10 ** (rng.uniform(QUIETEST, 0.0) / 20)
    hold = gap * float(rng.choice((0.6, 1.0, 1.6)))
    if kind < 0.6:
        return [(time, float(rng.integers(LOW_NOTE, HIGH_NOTE + 1)), force, hold)]
    if kind > 0.88:
        return []
    root = int(rng.integers(36, 55))
    chord = CHORDS[int(rng.integers(len(CHORDS)))]
    strum = rng.uniform(0.004, 0.018)
    share = force / math.sqrt(len(chord))
    return [(time + k * strum, float(root + step), share, hold) for k, step in enumerate(chord)]


def _frequency(note: float) -> float:
    return float(440.0 * 2 ** ((note - 69) / 12))


def _add(out: Signal, start: int, sound: Signal) -> None:
    room = out[start : start + len(sound)]
    room += sound[: len(room)]
