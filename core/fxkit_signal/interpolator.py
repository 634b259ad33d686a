"""Interpolators between samples: how a delay line is read where no sample lies."""

from __future__ import annotations

from collections.abc import Callable
from functools import cache
from typing import Literal, NamedTuple

import torch
from torch import Tensor

Interpolation = Literal["linear", "cubic", "sinc", "allpass"]

SINC_TAPS = 16
_KAISER_BETA = 8.0
# Cubic pieces of a 64th of a sample follow the curves to 1e-8, and their slopes without a jump.
_ROWS = 64
_STEP = 1e-5


class Interpolator(NamedTuple):
    """Hold the weights that read x(n - delay), delay = shift + whole + fraction.

    v[n] = sum_j w_j(fraction) x[n - whole + reach - taps + 1 + j] - p(fraction) v[n - 1]

    `weights` [rows, 4, taps] and `pole` [rows, 4], float64, are polynomials in the place within a row, in
    rising powers; row r holds for fractions from r / rows on. `reach` is how many samples newer than
    x[n - whole] are read.
    """

    weights: Tensor
    pole: Tensor
    reach: int
    shift: float

    @property
    def taps(self) -> int:
        """Return how many samples one reading takes."""
        return self.weights.shape[2]

    @property
    def rows(self) -> int:
        """Return into how many pieces the table divides a sample."""
        return self.weights.shape[0]

    @property
    def recursive(self) -> bool:
        """Tell whether a reading depends on the one before it."""
        return bool(self.pole.any())


@cache
def interpolator(name: Interpolation) -> Interpolator:
    """Return an interpolator by name.

    "linear": 2 taps. "cubic": Lagrange's polynomial through 4 samples. "sinc": 16 taps under a Kaiser
    window with beta 8. "allpass": Thiran's first-order allpass for 0.5 to 1.5 samples, whose magnitude is
    1 at every frequency (Laakso, Valimaki, Karjalainen and Laine, Splitting the unit delay, 1996).

    Error against the ideal delay, in dB of the signal, at a tenth, a quarter, a half and eight tenths of
    the Nyquist frequency, for the worst fraction of a sample:

        linear   -38  -22  -11   -3
        cubic    -73  -41  -19   -5
        sinc     -87  -91  -79  -24
        allpass  -47  -24   -8    0

    Weights sum to one, so that a constant stays one however the delay moves.
    """
    curve, rows, reach, shift = {
        "linear": (_linear, 1, 0, 0.0),
        "cubic": (_lagrange, 1, 1, 0.0),
        "sinc": (_windowed_sinc, _ROWS, SINC_TAPS // 2 - 1, 0.0),
        "allpass": (_thiran, _ROWS, 0, 0.5),
    }[name]
    weights = _pieces(curve, rows)
    pole = weights[..., 1] if name == "allpass" else torch.zeros_like(weights[..., 0])
    return Interpolator(weights, pole.contiguous(), reach, shift)


def _pieces(curve: Callable[[Tensor], Tensor], rows: int) -> Tensor:
    """Fit cubic pieces through values and slopes at the ends of every row (Hermite), [rows, 4, taps]."""
    ends = torch.arange(rows + 1, dtype=torch.float64)[:, None] / rows
    value = curve(ends)
    slope = (curve(ends + _STEP) - curve(ends - _STEP)) / (2 * _STEP * rows)
    rise = value[1:] - value[:-1]
    first, last = slope[:-1], slope[1:]
    return torch.stack([value[:-1], first, 3 * rise - 2 * first - last, first + last - 2 * rise], dim=1)


def _linear(fractions: Tensor) -> Tensor:
    return torch.cat([fractions, 1 - fractions], dim=1)


def _thiran(fractions: Tensor) -> Tensor:
    coefficient = (0.5 - fractions) / (1.5 + fractions)
    return torch.cat([torch.ones_like(coefficient), coefficient], dim=1)


def _distances(fractions: Tensor, taps: int) -> Tensor:
    """Return how much later than the wanted moment each tap lies, [rows, taps], oldest tap first."""
    return torch.arange(taps, dtype=torch.float64) - taps // 2 + fractions


def _windowed_sinc(fractions: Tensor) -> Tensor:
    distance = _distances(fractions, SINC_TAPS)
    inside = (1 - (2 * distance / SINC_TAPS).square()).clamp_min(0)
    window: Tensor = torch.special.i0(_KAISER_BETA * inside.sqrt())
    weights = torch.sinc(distance) * window
    return weights / weights.sum(1, keepdim=True)


def _lagrange(fractions: Tensor) -> Tensor:
    distance = _distances(fractions, 4)
    columns = []
    for tap in range(4):
        others = [other for other in range(4) if other != tap]
        factors = [distance[:, other] / (other - tap) for other in others]
        columns.append(factors[0] * factors[1] * factors[2])
    return torch.stack(columns, dim=1)
