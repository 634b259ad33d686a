"""The filters of oversampling keep what their docstring declares, measured on the DTFT."""

from __future__ import annotations

import numpy as np
import pytest

from fxkit_signal.halfband import PASSBAND, design_oversampling, halfband, lowpass

RATE = 48000


def response(taps, rate):
    points = 1 << 16
    return np.arange(points // 2 + 1) / points * rate, np.abs(np.fft.rfft(taps, points))


def decibels(gains):
    return 20 * np.log10(np.maximum(gains, 1e-12))


@pytest.mark.parametrize("factor", [2, 4, 8, 16])
def test_pass_and_stop_bands(factor):
    design = design_oversampling(factor)
    for taps, stop in ((np.array(design.up) / factor, 28000), (np.array(design.down), 24000)):
        frequency, gain = response(taps, factor * RATE)
        assert np.abs(decibels(gain[frequency <= PASSBAND * RATE])).max() <= 1e-3
        assert decibels(gain[frequency >= stop]).max() <= -100
        assert np.abs(taps - taps[::-1]).max() <= 1e-12
        assert len(taps) % 2 == 1


def test_every_second_tap_of_a_halfband_filter_is_zero_but_the_middle():
    taps = halfband(0.1)
    middle = len(taps) // 2
    assert middle % 2 == 1
    assert all(taps[index] == 0 for index in range(1, len(taps), 2) if index != middle)
    assert taps[middle] == pytest.approx(0.5, abs=1e-5)
    assert all(tap != 0 for tap in taps[::2])


def test_lowpass_halves_the_amplitude_at_its_cutoff():
    frequency, gain = response(np.array(lowpass(0.1, 0.02)), 1.0)
    assert gain[0] == pytest.approx(1)
    assert np.interp(0.1, frequency, gain) == pytest.approx(0.5, abs=1e-3)


def test_the_delay_is_that_of_the_middle_taps():
    design = design_oversampling(4)
    down = int(np.argmax(design.down)) - 3
    assert design.delay(both=False) == down
    assert design.delay() == down + int(np.argmax(design.up))


@pytest.mark.parametrize("factor", [0, 1, 3, 6])
def test_only_powers_of_two(factor):
    with pytest.raises(ValueError, match="powers of two"):
        design_oversampling(factor)
