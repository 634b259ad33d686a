"""Rational curves P(x) / Q(x) whose denominator cannot vanish, and their least-squares fit to others.

Q(x) = 1 + |S(x)| or 1 + S(x)^2 with a polynomial S without constant, after Molina, Schramowski and
Kersting, "Padé activation units" (ICLR 2020), eq. 4. Neither P nor S has a constant, so that zero stays
zero.
"""

from __future__ import annotations

from collections.abc import Callable
from typing import Literal

import numpy as np
import torch
from numpy.typing import NDArray
from torch import Tensor

Guard = Literal["absolute", "square"]
Points = NDArray[np.float64]

FIT_REACH = 4.0


def rational(x: Tensor, numerator: Tensor, denominator: Tensor, guard: Guard) -> Tensor:
    """Evaluate P(x) / (1 + |S(x)|) or P(x) / (1 + S(x)^2).

    `numerator` [m] and `denominator` [n] are the coefficients of P and S from power 1 up.
    """
    below = _polynomial(x, denominator)
    guarded = below.abs() if guard == "absolute" else below * below
    return _polynomial(x, numerator) / (1 + guarded)


def _polynomial(x: Tensor, coefficients: Tensor) -> Tensor:
    total = coefficients[-1] * x
    for coefficient in coefficients[:-1].flip(0):
        total = (total + coefficient) * x
    return total


def fit(curve: Callable[[Points], Points], above: int, below: int, guard: Guard) -> tuple[Tensor, Tensor]:
    """Fit an odd curve by least squares on [-4, 4]; return numerator and denominator, float64.

    Only the powers that make the quotient odd are used: odd ones in P, in S even ones for the guard
    "absolute" and odd ones for "square"; the others are 0.
    """
    from scipy.optimize import least_squares

    x = np.linspace(-FIT_REACH, FIT_REACH, 401)
    goal, odd = curve(x), np.arange(1, above + 1) % 2 == 1
    parity = 0 if guard == "absolute" and below > 1 else 1
    used = np.concatenate([odd, np.arange(1, below + 1) % 2 == parity])
    coefficients = np.zeros(above + below)

    def miss(free: Points) -> Points:
        coefficients[used] = free
        top, bottom = map(torch.from_numpy, (coefficients[:above], coefficients[above:]))
        return rational(torch.from_numpy(x), top, bottom, guard).numpy() - goal

    # A denominator of 0 has no slope in the guarded polynomial.
    start = np.concatenate([np.eye(1, above)[0], np.full(below, 0.1) / FIT_REACH ** np.arange(below)])
    miss(least_squares(miss, start[used], method="lm", x_scale="jac", max_nfev=400).x)
    first, second = np.split(coefficients, [above])
    return torch.from_numpy(first.copy()), torch.from_numpy(second.copy())


def identity(above: int, below: int, guard: Guard) -> tuple[Points, Points]:
    """Return coefficients for which P = x Q, exactly the identity, with Q = 1 + x^2 / 4 where there is room.

    Room is a numerator of power 3, and for the guard "absolute" a denominator of power 2.
    """
    top, bottom = np.zeros(above), np.zeros(below)
    top[0] = 1.0
    if above >= 3 and (guard == "square" or below >= 2):
        top[2] = 0.25
        bottom[0 if guard == "square" else 1] = 0.5 if guard == "square" else 0.25
    return top, bottom
