"""Intervals hold as often as they say, and are left out where they would not."""

from __future__ import annotations

import math

import numpy as np
import pytest

from fxkit.confidence import mean_interval, stretches_interval


def share_that_hold(draw, truth, count, rounds=400):
    rng = np.random.default_rng(1)
    found = [mean_interval(draw(rng, count)) for _ in range(rounds)]
    return np.mean([one.low <= truth <= one.high for one in found])


@pytest.mark.parametrize("count", [5, 8, 20])
def test_the_interval_holds_in_95_of_100_sets(count):
    share = share_that_hold(lambda rng, n: rng.normal(3, 1, n), 3.0, count)
    assert 0.92 <= share <= 0.985


@pytest.mark.parametrize("count", [5, 8, 20])
def test_it_holds_for_figures_that_are_skewed(count):
    share = share_that_hold(lambda rng, n: rng.lognormal(0, 0.5, n), math.exp(0.125), count)
    assert share >= 0.90


def test_it_reaches_further_to_the_side_of_the_outliers():
    found = mean_interval([0.1, 0.11, 0.12, 0.1, 0.13, 0.6])
    assert found.high - found.value > found.value - found.low > 0


def test_twice_the_recordings_give_a_narrower_interval():
    rng = np.random.default_rng(0)
    few, many = (mean_interval(rng.normal(0, 1, n)) for n in (10, 160))
    assert (many.high - many.low) < (few.high - few.low) / 2.5


def test_the_same_figures_have_the_same_limits():
    figures = [0.3, 0.1, 0.2, 0.5, 0.4, 0.2]
    assert mean_interval(figures) == mean_interval(figures)


@pytest.mark.parametrize(
    "figures", [[0.1], [0.1, 0.2, 0.3, 0.4], [0.1] * 6 + [math.nan], [0.1] * 6 + [math.inf]]
)
def test_there_are_no_limits_where_they_could_not_hold(figures):
    found = mean_interval(figures)
    assert (found.low, found.high, found.sign) == (None, None, 0)


def test_figures_that_are_all_alike_leave_no_doubt():
    found = mean_interval([0.25] * 7)
    assert (found.low, found.high) == (0.25, 0.25)


def test_the_sign_is_told_where_zero_is_left_out():
    assert mean_interval([-1.0, -1.1, -0.9, -1.05, -0.95]).sign == -1
    assert mean_interval([1.0, 1.1, 0.9, 1.05, 0.95]).sign == 1
    assert mean_interval([1.0, -1.1, 0.9, -1.05, 0.2]).sign == 0


def ratio(error, target):
    return float((error**2).sum() / (target**2).sum())


def moving_ratio(rng, samples):
    """Return error and target whose levels drift on their own, with 1 as the ratio of their mean powers."""
    drift = rng.normal(0, 1, (2, samples // 50))
    for step in range(1, drift.shape[1]):
        drift[:, step] = 0.6 * drift[:, step - 1] + 0.8 * drift[:, step]
    level = np.repeat(np.exp(0.4 * drift), 50, axis=1)
    return level * rng.normal(0, 1, (2, samples))


def without_each(error, target, stretches=10):
    cuts = np.array_split(np.arange(len(error)), stretches)
    return [ratio(np.delete(error, cut), np.delete(target, cut)) for cut in cuts]


@pytest.mark.parametrize("recordings", [1, 3])
def test_the_interval_over_stretches_holds_for_a_ratio_whose_level_drifts(recordings):
    rng, held = np.random.default_rng(2), []
    for _ in range(150):
        takes = [moving_ratio(rng, 6000) for _ in range(recordings)]
        value = float(np.mean([ratio(*take) for take in takes]))
        found = stretches_interval(value, [without_each(*take) for take in takes])
        held.append(found.low <= 1 <= found.high)
    assert 0.88 <= np.mean(held) <= 0.99


def test_for_a_mean_it_is_students_interval():
    figures = np.random.default_rng(0).normal(0, 1, 10)
    without = [float(np.delete(figures, index).mean()) for index in range(10)]
    found = stretches_interval(float(figures.mean()), [without])
    reach = 2.262157 * figures.std(ddof=1) / math.sqrt(10)
    assert found.high - found.value == pytest.approx(reach, rel=1e-6)
    assert found.value - found.low == pytest.approx(reach, rel=1e-6)


@pytest.mark.parametrize("without", [[], [[0.1]], [[0.1, math.nan, 0.2]]])
def test_stretches_that_could_not_be_measured_give_no_limits(without):
    assert not stretches_interval(0.1, without).known
