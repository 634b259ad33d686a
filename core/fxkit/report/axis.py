"""One axis of a chart: from values to places, and where its ticks stand."""

from __future__ import annotations

import math
from collections.abc import Iterable

import attrs

_MOST_TICKS = 6
_DECADES_FOR_FEW = 3.3


@attrs.frozen(kw_only=True)
class Axis:
    """Map [low, high] to [start, stop] in pixels, evenly or in logarithms."""

    low: float
    high: float
    start: float
    stop: float
    log: bool = False

    def place(self, value: float) -> float:
        """Return where a value stands; values outside the axis are held at its ends."""
        held = min(max(value, self.low), self.high)
        return self.start + self._share(held) * (self.stop - self.start)

    def _share(self, value: float) -> float:
        if self.log:
            return math.log(value / self.low) / math.log(self.high / self.low)
        return (value - self.low) / (self.high - self.low)

    def ticks(self) -> list[float]:
        """Return round values inside the axis, a handful of them."""
        return _log_ticks(self.low, self.high) if self.log else _even_ticks(self.low, self.high)


def fitted(
    values: Iterable[float], *, start: float, stop: float, log: bool = False, margin: float = 0.06
) -> Axis:
    """Return an axis over all finite values (a logarithmic one over those above zero), with some room."""
    known = [value for value in values if math.isfinite(value) and (value > 0 or not log)]
    low, high = (min(known), max(known)) if known else (0.1, 1.0)
    if log:
        ratio = max(high / low, 1.25)
        centre = math.sqrt(high) * math.sqrt(low)
        reach = ratio ** (0.5 + margin)
        return Axis(low=centre / reach, high=centre * reach, start=start, stop=stop, log=True)
    middle = (low + high) / 2
    # What moves by less than a thousandth stands still, and labels would be too long.
    reach = max((0.5 + margin) * (high - low), max(abs(low), abs(high)) * 1e-3) or 1.0
    return Axis(low=middle - reach, high=middle + reach, start=start, stop=stop)


def _even_ticks(low: float, high: float) -> list[float]:
    step = _round_step((high - low) / _MOST_TICKS)
    first = math.ceil(low / step - 1e-9)
    # Rounding keeps 0.30000000000000004 and -0.0 out of labels.
    return [round(n * step, 12) + 0.0 for n in range(first, math.floor(high / step + 1e-9) + 1)]


def _round_step(least: float) -> float:
    scale = 10.0 ** math.floor(math.log10(least))
    return next(scale * n for n in (1, 2, 5, 10) if scale * n >= least * (1 - 1e-9))


def _log_ticks(low: float, high: float) -> list[float]:
    decades = math.log10(high / low)
    if decades < 0.7:
        return [tick for tick in _even_ticks(low, high) if tick > 0]
    digits = (1, 2, 5) if decades < _DECADES_FOR_FEW else (1,)
    exponents = range(math.floor(math.log10(low)), math.ceil(math.log10(high)) + 1)
    found = [digit * 10.0**exponent for exponent in exponents for digit in digits]
    inside = [tick for tick in found if low <= tick <= high]
    return inside[:: math.ceil(len(inside) / (_MOST_TICKS + 2))] if inside else [low, high]


def short(value: float) -> str:
    """Write a tick: thousands as k, no needless digits."""
    if abs(value) >= 1000:
        return f"{value / 1000:g}k"
    if value and abs(value) < 0.001:
        digits, exponent = f"{value:.0e}".split("e")
        return f"{digits}e{int(exponent)}"
    return f"{value:g}"
