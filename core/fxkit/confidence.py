"""Find the limits of means: over recordings by the bootstrap, over stretches of time by the jackknife."""

from __future__ import annotations

from collections.abc import Mapping, Sequence

import numpy as np
from numpy.typing import NDArray

from fxkit.scores import FEWEST, Interval

Values = NDArray[np.float64]

CONFIDENCE = 0.95
_RESAMPLES = 1999


def mean_interval(values: Sequence[float]) -> Interval:
    """Return the mean of recordings' figures with its limits for other recordings of the kind.

    The bootstrap-t interval (Efron and Tibshirani, An introduction to the bootstrap, 1993, section 12.5):
    of resampled means, each divided by its own standard error. It follows skewed figures and holds in small
    sets, where percentile and BCa intervals are too narrow. Without limits where there are fewer than 5
    figures or one is not finite.
    """
    figures = np.asarray(values, dtype=np.float64)
    mean = float(figures.mean()) if len(figures) else float("nan")
    if len(figures) < FEWEST or not np.isfinite(figures).all():
        return Interval(mean)
    error = float(_standard_error(figures))
    if error <= 1e-12 * float(np.abs(figures).max()):
        return Interval(mean, mean, mean)
    low, high = _quantiles(_studentised(figures, mean))
    return Interval(mean, mean - high * error, mean - low * error)


def _studentised(figures: Values, mean: float) -> Values:
    # The same resamples each time: the same figures have the same limits.
    drawn = np.random.default_rng(0).integers(0, len(figures), (_RESAMPLES, len(figures)))
    resampled = figures[drawn]
    errors = _standard_error(resampled)
    # A resample of one recording over and over has no error to divide by.
    usable = errors > 1e-9 * _standard_error(figures)
    ratios: Values = (resampled.mean(axis=-1)[usable] - mean) / errors[usable]
    return ratios


def _standard_error(figures: Values) -> Values:
    error: Values = figures.std(axis=-1, ddof=1) / np.sqrt(figures.shape[-1])
    return error


def _quantiles(ratios: Values) -> tuple[float, float]:
    low, high = np.quantile(ratios, [(1 - CONFIDENCE) / 2, (1 + CONFIDENCE) / 2])
    return float(low), float(high)


def stretches_interval(value: float, without: Sequence[Sequence[float]]) -> Interval:
    """Return a mean over recordings with its limits for other stretches of time of these recordings.

    `without` holds for each recording its figure measured without each of its stretches in turn. The
    delete-one jackknife over blocks (Künsch, The jackknife and the bootstrap for general stationary
    observations, 1989), whose variances add up over the recordings, and Student's t with as many degrees of
    freedom as there are stretches less recordings. Without limits where a figure is not finite.
    """
    figures = [np.asarray(one, dtype=np.float64) for one in without]
    if not figures or not all(len(one) > 1 and np.isfinite(one).all() for one in figures):
        return Interval(value)
    from scipy.stats import t

    variance = sum((len(one) - 1) * one.var() for one in figures) / len(figures) ** 2
    freedom = sum(len(one) - 1 for one in figures)
    reach = float(t.ppf((1 + CONFIDENCE) / 2, freedom) * np.sqrt(variance))
    return Interval(value, value - reach, value + reach)


def mean_intervals(figures: Mapping[str, Sequence[float]]) -> dict[str, Interval]:
    """Return metric -> `mean_interval` of its figures."""
    return {name: mean_interval(values) for name, values in figures.items()}
