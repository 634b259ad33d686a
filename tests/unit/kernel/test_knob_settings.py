from __future__ import annotations

import numpy as np
import pytest

from fxkit.errors import RunError
from fxkit.knob_settings import knob_settings

RANGES = {"drive": (0.0, 10.0), "tone": (-1.0, 1.0)}


def test_settings_are_scaled_to_their_ranges_in_the_order_of_the_model():
    found = knob_settings({"tone": 0.5, "drive": 3}, RANGES, samples=100, frame=64)
    assert found.tolist() == pytest.approx([0.3, 0.75])
    assert found.dtype == np.float32


@pytest.mark.parametrize("samples", [1, 63, 64, 65, 640, 641])
def test_a_turned_knob_gives_all_frames_that_the_samples_lie_between(samples):
    ramp = np.linspace(0, 10, samples)
    found = knob_settings({"drive": ramp, "tone": 0.0}, RANGES, samples=samples, frame=64)
    assert found.shape == (2, (samples - 1) // 64 + 2)
    assert np.all(found[1] == 0.5)
    inside = np.arange(0, samples, 64)
    assert np.allclose(found[0, : len(inside)], ramp[inside] / 10, atol=1e-6)
    assert found[0, -1] == pytest.approx(ramp[-1] / 10)


def test_frames_of_another_rate_lie_between_samples():
    ramp = np.arange(100.0) / 10
    found = knob_settings({"drive": ramp, "tone": 0}, RANGES, samples=100, frame=64 * 44.1 / 48)
    assert found[0, 1] == pytest.approx(64 * 44.1 / 48 / 100, abs=1e-6)


def test_a_model_without_knobs_takes_none():
    assert knob_settings({}, {}, samples=10, frame=64) is None


@pytest.mark.parametrize(
    ("given", "message"),
    [
        ({"drive": 1}, r"takes knobs: drive \(0 to 10\), tone \(-1 to 1\); got: drive"),
        ({}, "got: none"),
        ({"drive": [1, 2, 3], "tone": 0}, "drive: 3 values for 10 samples"),
        ({"drive": np.zeros((1, 10)), "tone": 0}, "drive: 1x10 values for 10 samples"),
    ],
)
def test_knobs_that_do_not_fit_are_refused(given, message):
    with pytest.raises(RunError, match=message):
        knob_settings(given, RANGES, samples=10, frame=64)
