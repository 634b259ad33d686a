"""Devices that filter or distort are not late; what is late is found, whatever the device."""

from __future__ import annotations

import numpy as np
import pytest
import scipy.signal

from fxkit_data._pair_alignment import excerpts, relate
from fxkit_data._plucked_strings import phrase

RATE = 48_000


def butter(order, corner, kind="low"):
    return scipy.signal.butter(order, corner, kind, fs=RATE)


def low(audio, corner, order=2):
    return scipy.signal.lfilter(*butter(order, corner), audio)


def high(audio, corner, order=1):
    return scipy.signal.lfilter(*butter(order, corner, "high"), audio)


def peak(audio, frequency, gain):
    """A peaking filter: what is in a resonator's band is made `gain` times as loud."""
    b, a = scipy.signal.iirpeak(frequency, 1.0, fs=RATE)
    return audio + (gain - 1) * scipy.signal.lfilter(b, a, audio)


DEVICES = {
    "gain": lambda x: 0.3 * x,
    "inverter": lambda x: -x,
    "equaliser": lambda x: peak(peak(x, 200, 3.0), 3000, 0.3),
    "low-pass": lambda x: low(x, 500, 4),
    "high-pass": lambda x: high(x, 2000, 4),
    "overdrive": lambda x: low(np.tanh(40 * high(x, 720)), 3000),
    "fuzz": lambda x: low(high(np.tanh(300 * high(x, 100) + 0.3), 30), 5000),
    "tremolo": lambda x: x * (0.6 + 0.4 * np.sin(2 * np.pi * 5 * np.arange(len(x)) / RATE)),
    "echo": lambda x: x + 0.5 * np.concatenate([np.zeros(9600), x[:-9600]]),
    "noise": lambda x: x + 0.02 * np.random.default_rng(0).standard_normal(len(x)),
}


@pytest.fixture(scope="module")
def strings():
    audio = phrase(6.0, RATE, (1, 2))
    return 0.5 * audio / np.abs(audio).max()


def sides(dry, wet):
    return dry[None].astype(np.float32), wet[None].astype(np.float32)


@pytest.mark.parametrize("device", DEVICES)
def test_a_device_is_not_late(strings, device):
    found = relate(*sides(strings, DEVICES[device](strings)), RATE)
    assert found.sure
    assert not found.late
    assert found.polarity == (-1 if device == "inverter" else 1)


@pytest.mark.parametrize("samples", [37, -23, 400])
@pytest.mark.parametrize("device", DEVICES)
def test_a_late_or_early_device_is_found(strings, device, samples):
    wet = np.roll(DEVICES[device](strings), samples)
    found = relate(*sides(strings, wet), RATE)
    assert found.late
    assert found.latency == pytest.approx(samples, abs=max(1.0, found.tolerance))


def test_other_audio_is_not_taken_for_the_device(strings):
    found = relate(*sides(strings, 0.1 * np.random.default_rng(1).standard_normal(len(strings))), RATE)
    assert not found.sure
    assert not found.late


def test_the_broadest_loud_excerpt_comes_first():
    rng = np.random.default_rng(4)
    hum = 0.5 * np.sin(2 * np.pi * 60 * np.arange(5 * RATE) / RATE)
    hiss = 1e-4 * rng.standard_normal(5 * RATE)
    drums = 0.2 * rng.standard_normal(5 * RATE)
    dry = np.concatenate([hum, hiss, drums, hum])
    first, *others = excerpts(*sides(dry, dry), RATE)
    assert first.start == 10 * RATE
    assert 5 * RATE not in [part.start for part in others]
