"""Detector, static curve and smoothing of dynamics processors in one loop, and its adjoint when fed back.

Rows of `settings` [rows, 1 or samples, 8] hold threshold, slope, knee and reach in dB, then the
coefficients of rise, fall, after-smoothing and averaging. Rows of `state` [rows, 5] hold the mean power,
both smoothers, and the last level and gain.
"""

from __future__ import annotations

from math import exp, log

from numpy import empty, float64, zeros
from numpy.typing import NDArray

from fxkit_signal.compiled.gain_computer import excess
from fxkit_signal.compiled.kernel import kernel

Array = NDArray[float64]
FLOOR = 1e-6
NATURAL = log(10) / 20


@kernel()
def follow(
    level: Array,
    settings: Array,
    state: Array,
    sign: float,
    power: bool,
    feedback: bool,
    on_level: bool,
    twice: bool,
    keep: bool,
) -> tuple[Array, Array, Array]:
    """Return gains [rows, samples], the next state and what the adjoint needs [rows, samples, 4]."""
    rows, samples = level.shape
    step = 1 if settings.shape[1] > 1 else 0
    gains, after = empty((rows, samples)), empty((rows, 5))
    trace = empty((rows, samples if keep else 0, 4))
    lowest = FLOOR * FLOOR if power else FLOOR
    scale = 1 / (2 * NATURAL) if power else 1 / NATURAL
    for row in range(rows):
        mean, first, second, level_before, gain = state[row]
        for n in range(samples):
            k = n * step
            rise, fall, late = settings[row, k, 4], settings[row, k, 5], settings[row, k, 6] if twice else 0.0
            u = level[row, n]
            if feedback:
                heard = level_before * gain
                level_before = u
                u = heard * gain if power else heard
            if power:
                mean = u + settings[row, k, 7] * (mean - u)
                u = mean
            if on_level:
                first = u + (rise if u > first else fall) * (first - u)
                second = first + late * (second - first)
                u = second
            loud = scale * log(max(u, lowest))
            value, _ = excess(sign * (loud - settings[row, k, 0]), settings[row, k, 2])
            less = min(settings[row, k, 1] * value, settings[row, k, 3])
            if not on_level:
                first = less + (rise if less > first else fall) * (first - less)
                second = first + late * (second - first)
                less = second
            gain = exp(-NATURAL * less)
            gains[row, n] = gain
            if keep:
                trace[row, n, 0] = loud
                trace[row, n, 1] = mean
                trace[row, n, 2] = first
                trace[row, n, 3] = second
        after[row, 0], after[row, 1], after[row, 2] = mean, first, second
        after[row, 3], after[row, 4] = level[row, samples - 1], gain
    return gains, after, trace


@kernel()
def follow_adjoint(
    grad: Array,
    grad_after: Array,
    level: Array,
    settings: Array,
    state: Array,
    gains: Array,
    trace: Array,
    sign: float,
    power: bool,
    on_level: bool,
    twice: bool,
) -> tuple[Array, Array, Array]:
    """Return the gradients to level, settings and state, given those to gains and the state after.

    What `follow` fed back: its output's gain is part of what it hears next.
    """
    rows, samples = level.shape
    step = 1 if settings.shape[1] > 1 else 0
    to_level, to_settings, to_state = zeros(level.shape), zeros(settings.shape), empty(state.shape)
    scale = 1 / (2 * NATURAL) if power else 1 / NATURAL
    floor_db = log(FLOOR) / NATURAL
    for row in range(rows):
        d_mean, d_first, d_second = grad_after[row, 0], grad_after[row, 1], grad_after[row, 2]
        to_level[row, samples - 1] += grad_after[row, 3]
        d_gain = grad_after[row, 4]
        d_level_before = 0.0
        for n in range(samples - 1, -1, -1):
            k = n * step
            rise, fall, late = settings[row, k, 4], settings[row, k, 5], settings[row, k, 6] if twice else 0.0
            loud, mean, first, second = trace[row, n, 0], trace[row, n, 1], trace[row, n, 2], trace[row, n, 3]
            mean_b, first_b, second_b, level_b, gain_b = state[row]
            if n:
                mean_b, first_b, second_b = trace[row, n - 1, 1], trace[row, n - 1, 2], trace[row, n - 1, 3]
                level_b, gain_b = level[row, n - 1], gains[row, n - 1]
            value, share = excess(sign * (loud - settings[row, k, 0]), settings[row, k, 2])
            wanted = settings[row, k, 1] * value
            less = min(wanted, settings[row, k, 3])
            d_less = -NATURAL * gains[row, n] * (grad[row, n] + d_gain)
            if not on_level:
                d_second += d_less
                d_first += (1 - late) * d_second
                to_settings[row, k, 6] += d_second * (second_b - first) if twice else 0.0
                d_second *= late
                rises = less > first_b
                c = rise if rises else fall
                to_settings[row, k, 4 if rises else 5] += d_first * (first_b - less)
                d_less = (1 - c) * d_first
                d_first *= c
            if wanted > settings[row, k, 3]:
                to_settings[row, k, 3] += d_less
                d_less = 0.0
            to_settings[row, k, 1] += d_less * value
            d_less *= settings[row, k, 1]
            to_settings[row, k, 2] += d_less * 0.5 * share * (1 - share)
            d_loud = sign * d_less * share
            to_settings[row, k, 0] -= d_loud
            heard = level_b * gain_b * (gain_b if power else 1.0)
            u = second if on_level else (mean if power else heard)
            d_u = d_loud * scale / u if loud > floor_db else 0.0
            if on_level:
                d_second += d_u
                d_first += (1 - late) * d_second
                to_settings[row, k, 6] += d_second * (second_b - first) if twice else 0.0
                d_second *= late
                u = mean if power else heard
                rises = u > first_b
                c = rise if rises else fall
                to_settings[row, k, 4 if rises else 5] += d_first * (first_b - u)
                d_u = (1 - c) * d_first
                d_first *= c
            if power:
                d_mean += d_u
                to_settings[row, k, 7] += d_mean * (mean_b - heard)
                d_u = (1 - settings[row, k, 7]) * d_mean
                d_mean *= settings[row, k, 7]
            d_level_before = d_u * gain_b * (gain_b if power else 1.0)
            d_gain = d_u * level_b * (2 * gain_b if power else 1.0)
            if n:
                to_level[row, n - 1] += d_level_before
        to_state[row, 0], to_state[row, 1], to_state[row, 2] = d_mean, d_first, d_second
        to_state[row, 3], to_state[row, 4] = d_level_before, d_gain
    return to_level, to_settings, to_state
