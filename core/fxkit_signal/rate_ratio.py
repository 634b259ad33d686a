"""The whole-number plan of a way to another sample rate and back, without torch."""

from __future__ import annotations

import math
from typing import NamedTuple

from fxkit_signal.halfband import kaiser_length

# Shares of half the lower rate: what passes, and where the stopband begins.
PASSES, STOPS = 0.9, 1.0
_LARGEST = 2048


class RateRatio(NamedTuple):
    """Hold the ratio `up` / `down` of an inner rate to an outer one, in lowest terms.

    Filters run at `up` times the outer rate, which is `down` times the inner one.
    """

    up: int
    down: int

    @property
    def cutoff(self) -> float:
        """Return the -6 dB point of both filters as a share of the filters' rate."""
        return 0.25 * (PASSES + STOPS) / max(self)

    @property
    def length(self) -> int:
        """Return the odd number of taps of either filter."""
        return kaiser_length(0.5 * (STOPS - PASSES) / max(self))

    def delay(self, *, both: bool = True) -> int:
        """Return the delay of the way back, or of both ways, in samples of the filters' rate."""
        return (self.length - 1) // 2 * (2 if both else 1)

    def due(self, position: int, samples: int) -> int:
        """Count the inner samples that begin within outer samples [position, position + samples)."""
        return -(-(position + samples) * self.up // self.down) + (-position * self.up // self.down)


def rate_ratio(outer: int, inner: int) -> RateRatio:
    """Reduce inner / outer, rates in whole Hz.

    Raises `ValueError` when a rate is not positive, both are the same, or the lowest terms are too large
    for filters of useful length.
    """
    if outer <= 0 or inner <= 0 or outer == inner:
        raise ValueError(f"needs two different positive sample rates, got {outer} and {inner} Hz")
    common = math.gcd(outer, inner)
    up, down = inner // common, outer // common
    if max(up, down) > _LARGEST:
        raise ValueError(f"{inner} / {outer} Hz is {up} / {down}; choose rates with a simpler ratio")
    return RateRatio(up, down)
