"""Memoryless curves for waveshaping, each with its antiderivative.

Every curve has slope 1 at the origin unless said otherwise. The antiderivative is what first-order
antiderivative antialiasing needs (`fxkit_signal.antialiasing`); its constant is of no account.
"""

from __future__ import annotations

import math
from collections.abc import Callable
from typing import NamedTuple

import torch
from torch import Tensor


class Curve(NamedTuple):
    """Pair a curve with its antiderivative; both map tensors of any shape element by element."""

    value: Callable[[Tensor], Tensor]
    integral: Callable[[Tensor], Tensor]


def log_cosh(x: Tensor) -> Tensor:
    """Return log(cosh(x)), the antiderivative of tanh, without overflow."""
    size = x.abs()
    return size + torch.log1p(torch.exp(-2 * size)) - math.log(2)


def hard_clip(x: Tensor) -> Tensor:
    """Limit to [-1, 1]."""
    return x.clamp(-1, 1)


def hard_clip_integral(x: Tensor) -> Tensor:
    """Return the antiderivative of `hard_clip`: x^2 / 2 inside, |x| - 1/2 outside."""
    inside = hard_clip(x)
    return inside * (x - inside / 2)


def cubic(x: Tensor) -> Tensor:
    """Return x - 4 x^3 / 27 up to |x| = 1.5, where it reaches +-1 with slope 0, and stays there."""
    x = x.clamp(-1.5, 1.5)
    return x - 4 / 27 * x**3


def cubic_integral(x: Tensor) -> Tensor:
    """Return the antiderivative of `cubic`."""
    inside = x.clamp(-1.5, 1.5)
    square = inside * inside
    return square / 2 - square * square / 27 + (x - inside) * cubic(x)


def exponential(x: Tensor) -> Tensor:
    """Return sign(x) (1 - exp(-|x|)), the soft limit of a diode-like knee."""
    return torch.where(x < 0, torch.expm1(x.clamp(max=0)), -torch.expm1(-x.clamp(min=0)))


def exponential_integral(x: Tensor) -> Tensor:
    """Return the antiderivative of `exponential`: |x| + exp(-|x|) - 1."""
    size = x.abs()
    return size + torch.expm1(-size)


def sine_fold_integral(x: Tensor) -> Tensor:
    """Return 1 - cos(x), the antiderivative of the sine that folds at odd multiples of pi / 2."""
    return 1 - torch.cos(x)


def triangle_fold(x: Tensor) -> Tensor:
    """Reflect at +-1 as often as it takes: a triangle wave of x with period 4."""
    return (torch.remainder(x - 1, 4) - 2).abs() - 1


def triangle_fold_integral(x: Tensor) -> Tensor:
    """Return the antiderivative of `triangle_fold`, which has period 4 as well."""
    phase = torch.remainder(x + 1, 4)
    return torch.where(phase < 2, (phase - 1) ** 2 / 2, 1 - (phase - 3) ** 2 / 2)


def asymmetric(x: Tensor, upper: Tensor, lower: Tensor) -> Tensor:
    """Limit softly to [-lower, upper]: each half-wave is a tanh scaled to its own limit, both > 0.

    Value, slope and curvature agree at the origin.
    """
    return torch.where(x < 0, lower * torch.tanh(x / lower), upper * torch.tanh(x / upper))


def asymmetric_integral(x: Tensor, upper: Tensor, lower: Tensor) -> Tensor:
    """Return the antiderivative of `asymmetric`."""
    return torch.where(x < 0, lower**2 * log_cosh(x / lower), upper**2 * log_cosh(x / upper))


def asymmetric_curve(upper: Tensor, lower: Tensor) -> Curve:
    """Return the curve `asymmetric` with the given limits, which broadcast against what it shapes."""
    return Curve(lambda x: asymmetric(x, upper, lower), lambda x: asymmetric_integral(x, upper, lower))


TANH = Curve(torch.tanh, log_cosh)
HARD_CLIP = Curve(hard_clip, hard_clip_integral)
CUBIC = Curve(cubic, cubic_integral)
EXPONENTIAL = Curve(exponential, exponential_integral)
SINE_FOLD = Curve(torch.sin, sine_fold_integral)
TRIANGLE_FOLD = Curve(triangle_fold, triangle_fold_integral)


def biased(curve: Curve, bias: Tensor) -> Curve:
    """Return the curve moved along its input by `bias`, and down so that silence stays silent."""
    rest = curve.value(bias)
    return Curve(
        lambda x: curve.value(x + bias) - rest,
        lambda x: curve.integral(x + bias) - rest * x,
    )
