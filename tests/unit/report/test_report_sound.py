"""Sound in the page keeps its samples and its level."""

from __future__ import annotations

import base64
import io
import math

import numpy as np
import soundfile

from fxkit.report.sound import encoded


def decoded(uri):
    """Read a sound back, as 32 bit integers."""
    kind, _, data = uri.partition(",")
    assert kind == "data:audio/flac;base64"
    return soundfile.read(io.BytesIO(base64.b64decode(data)), dtype="int32", always_2d=True)


def test_what_a_file_of_16_bits_held_comes_out_the_same():
    random = np.random.default_rng(1)
    steps = random.integers(-32768, 32768, (2, 4000))
    sound = encoded((steps / 32768).astype(np.float32), 44100)
    audio, rate = decoded(sound.uri)
    assert rate == 44100
    assert sound.bits == 16
    np.testing.assert_array_equal(audio.T >> 16, steps)


def test_quiet_sound_keeps_24_bits():
    steps = np.random.default_rng(2).integers(-(2**17), 2**17, (1, 3000))
    sound = encoded(steps / 2**23, 48000)
    assert sound.bits == 24
    np.testing.assert_array_equal(decoded(sound.uri)[0].T >> 8, steps)


def test_level_is_told_in_decibels_of_full_scale():
    wave = 0.5 * np.sin(2 * np.pi * np.arange(8000) / 80)[None]
    sound = encoded(wave, 8000)
    assert math.isclose(sound.peak, 20 * math.log10(0.5), abs_tol=1e-6)
    assert math.isclose(sound.rms, 20 * math.log10(0.5 / math.sqrt(2)), abs_tol=1e-6)
    assert sound.seconds == 1.0


def test_samples_beyond_full_scale_are_counted_and_held_there():
    sound = encoded(np.array([[0.5, 1.5, -1.25, 1.0, -1.0]]), 8000)
    assert sound.clipped == 2
    np.testing.assert_array_equal(decoded(sound.uri)[0][:, 0] >> 16, [16384, 32767, -32768, 32767, -32768])


def test_silence_and_values_that_are_no_numbers_can_be_encoded():
    sound = encoded(np.array([[0.0, np.nan, 0.0]]), 8000)
    assert sound.peak == -math.inf
    assert not decoded(sound.uri)[0].any()
