"""The diode clipper solves its circuit's equations."""

from __future__ import annotations

import cmath
import math

import numpy as np
import pytest
import scipy.optimize

from fxkit_data import _diode_clipper as circuit

RATE = 384_000


def backward_euler(drive, rate):
    """Step the clipper sample by sample; each implicit equation is bracketed and solved on its own."""
    step, voltage, out = 1 / rate, 0.0, []
    for u in drive:

        def residual(v, u=u, before=voltage):
            slope = (u - v) / (circuit.R * circuit.C)
            slope -= 2 * circuit.I_S / circuit.C * math.sinh(v / circuit.V_T)
            return v - before - step * slope

        voltage = scipy.optimize.brentq(residual, -1.5, 1.5, xtol=1e-14, rtol=1e-14)
        out.append(voltage)
    return np.array(out)


def test_clipping_many_stretches_at_once_equals_stepping_through_the_samples():
    drive = 6 * np.random.default_rng(1).standard_normal(5000)
    assert np.abs(circuit.clip(drive, RATE) - backward_euler(drive, RATE)).max() < 1e-9


@pytest.mark.parametrize("reach", [0.01, 1.0, 30.0])
def test_the_table_answers_the_implicit_equation(reach):
    a, b = 1 + 1 / (RATE * circuit.R * circuit.C), 2 * circuit.I_S / (RATE * circuit.C)
    table = circuit.ClipperTable.make(a, b, reach)
    p = np.random.default_rng(2).uniform(-reach, reach, 20_000)
    v = table(p)
    # The equation's slope in v is at least a > 1, so the residual bounds the error in v.
    residual = a * v + b * np.sinh(v / circuit.V_T) - p
    slope = a + b / circuit.V_T * np.cosh(v / circuit.V_T)
    assert np.abs(residual / slope).max() < 1e-9


def test_eightfold_oversampling_is_near_the_continuous_circuit():
    seconds = 0.02
    times = [np.arange(round(seconds * RATE * factor)) / (RATE * factor) for factor in (1, 8)]
    near, fine = (
        circuit.clip(8 * np.sin(2 * np.pi * 440 * t), RATE * (1 + 7 * k)) for k, t in enumerate(times)
    )
    error = near - fine[::8]
    assert np.mean(error**2) / np.mean(fine**2) < 2e-5


@pytest.mark.parametrize("frequency", [100.0, 720.0, 3000.0])
@pytest.mark.parametrize("gain", [0.0, 0.5, 1.0])
def test_quiet_signals_see_the_linear_circuit(frequency, gain):
    rate, samples = 48_000, 24_000
    tone = 1e-5 * np.sin(2 * np.pi * frequency * np.arange(samples) / rate)
    out = circuit.process(tone, rate, gain)
    s = 2j * math.pi * frequency
    r_f = circuit.R_F_MIN + gain * circuit.R_F_POT
    stage = 1 + s * r_f * circuit.C_G / (1 + s * circuit.R_G * circuit.C_G)
    # Two opposed diodes at rest are a resistor of V_T / (2 I_S).
    clipper = 1 / (1 + s * circuit.R * circuit.C + 2 * circuit.I_S * circuit.R / circuit.V_T)
    expected = stage * clipper / (1 + s * circuit.R_TONE * circuit.C_TONE)
    settled = slice(samples // 2, None)
    phasor = np.exp(-2j * np.pi * frequency * np.arange(samples) / rate)[settled]
    measured = (out[settled] * phasor).sum() / (tone[settled] * phasor).sum()
    assert abs(measured) == pytest.approx(abs(expected), rel=0.01)
    assert abs(cmath.phase(measured / expected)) < 0.03


def test_the_output_stays_within_the_diodes_reach_and_is_odd():
    drive = 20 * np.random.default_rng(3).standard_normal(4000)
    out = circuit.clip(drive, RATE)
    assert 0.5 < np.abs(out).max() < 0.8
    assert np.allclose(circuit.clip(-drive, RATE), -out, atol=1e-12)


def test_more_gain_clips_more():
    tone = 0.1 * np.sin(2 * np.pi * 330 * np.arange(9600) / 48_000)
    levels = [np.abs(circuit.process(tone, 48_000, gain)).mean() for gain in (0.0, 0.5, 1.0)]
    assert levels[0] < levels[1] < levels[2]


@pytest.mark.parametrize("rate", [8000, 44_100, 96_000, 384_000])
def test_every_rate_gives_the_same_device(rate):
    def tone(at):
        return 0.2 * np.sin(2 * np.pi * 440 * np.arange(at // 2) / at)

    def fundamental(out, at):
        return 2 * abs(np.mean(out * np.exp(-2j * np.pi * 440 * np.arange(len(out)) / at)))

    reference = fundamental(circuit.process(tone(48_000), 48_000, 0.5), 48_000)
    assert fundamental(circuit.process(tone(rate), rate, 0.5), rate) == pytest.approx(reference, rel=0.005)


def test_there_is_no_latency():
    step = np.zeros(2000)
    step[1000:] = 0.2
    out = circuit.process(step, 48_000, 0.5)
    half = np.flatnonzero(out > 0.5 * out.max())[0]
    assert 1000 <= half <= 1004
    assert np.abs(out[:960]).max() < 1e-6
