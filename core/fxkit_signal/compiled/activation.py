"""Activations of vectors of float32 numbers, to the last digits, and their derivatives.

exp(x) = 2^n (1 + q) with n the nearest integer to x / ln 2 and q = exp(r) - 1 of the rest r, |r| <= ln(2) / 2
(Cody and Waite, Software manual for the elementary functions, 1980, chapter 6). q is a polynomial of
degree 6, fitted for the least relative error (1.4e-8), so that tanh keeps its digits near zero as well.
"""

from __future__ import annotations

from typing import Any

from numba import float32

from fxkit_signal.compiled.lanes import part
from fxkit_signal.compiled.vectors import above, power_of_two, spread_out

# The last two bend at zero.
NONE, GATED, TANH, SIGMOID, RELU, LEAKY = range(6)
SLOPE = 0.01


@part
def _number(value: float) -> Any:
    return spread_out(float32(value))


@part
def _split(x: Any) -> Any:
    """Return 2^n and q, for |x| < 88."""
    magic = _number(12582912.0)
    shifted = x * _number(1.4426950408889634) + magic
    whole = shifted - magic
    # ln 2 in two parts, the first with so few digits that its product with n is exact.
    rest = x - whole * _number(0.693359375) + whole * _number(2.12194440e-4)
    curve = _number(0.008366580121219158) + rest * _number(0.0013882507337257266)
    curve = _number(0.04166720062494278) + rest * curve
    curve = _number(0.1666654348373413) + rest * curve
    curve = _number(0.4999999701976776) + rest * curve
    return power_of_two(shifted), rest + rest * rest * curve


@part
def tanh(x: Any) -> Any:
    """Return e / (e + 2) with e = exp(2 x) - 1; relative error below 3e-7."""
    high, low = _number(18.5), _number(-18.5)
    twice = x + x
    twice = above(twice, high, high, twice)
    twice = above(low, twice, low, twice)
    scale, curve = _split(twice)
    one = _number(1.0)
    e = scale * curve + (scale - one)
    return e / (e + one + one)


@part
def sigmoid(x: Any) -> Any:
    """Return 1 / (1 + exp(-x)); relative error below 3e-7 above -87."""
    high, low = _number(87.0), _number(-87.0)
    x = above(x, high, high, x)
    x = above(low, x, low, x)
    scale, curve = _split(_number(0.0) - x)
    return _number(1.0) / (_number(1.0) + scale + scale * curve)


@part
def bend(x: Any, code: int) -> Any:
    """Return the activation of a vector."""
    if code == TANH:
        return tanh(x)
    if code == SIGMOID:
        return sigmoid(x)
    if code >= RELU:
        zero = _number(0.0)
        slope = _number(SLOPE) if code == LEAKY else zero
        return above(zero, x, slope * x, x)
    return x


@part
def steepness(y: Any, code: int) -> Any:
    """Return the derivative of an activation where its value is y."""
    zero, one = _number(0.0), _number(1.0)
    if code == TANH:
        return one - y * y
    if code == SIGMOID:
        return y - y * y
    if code >= RELU:
        return above(y, zero, one, _number(SLOPE) if code == LEAKY else zero)
    return one
