"""Static curves of dynamics processors: how many decibels to take away at a level.

Giannoulis, Massberg and Reiss, "Digital dynamic range compressor design: a tutorial and analysis",
J. Audio Eng. Soc. 60(6), 2012, eqs. 2 to 4.
"""

from __future__ import annotations

import math
from typing import Any

import torch
from torch import Tensor
from torch.autograd.function import once_differentiable

from fxkit_signal.dispatch import compiled_for

# Quieter counts as this loud, -120 dBFS: a logarithm needs an end.
FLOOR = 1e-6
NATURAL = math.log(10) / 20


def decibels(level: Tensor, *, power: bool = False) -> Tensor:
    """Return a level in dB, at least -120; `level` >= 0 of any shape is an amplitude, or a `power`."""
    exponent = 2 if power else 1
    return level.clamp(min=FLOOR**exponent).log() / (exponent * NATURAL)


def amplitude(level_db: Tensor) -> Tensor:
    """Return the amplitude of a level in dB, of any shape."""
    return torch.exp(NATURAL * level_db)


def excess(over: Tensor, knee: Tensor) -> Tensor:
    """Return how far a level counts as beyond a threshold, in dB, rounded off over `knee` dB (eq. 4).

    `over` is level minus threshold; both broadcast. 0 below the knee, `over` above it, a parabola
    between; `knee` 0 is a corner, with finite gradients.
    """
    inside = 2 * over.abs() < knee
    width = torch.where(inside, knee, 1.0)
    return torch.where(inside, (over + width / 2).square() / (2 * width), over.clamp(min=0))


def reduction(over: Tensor, slope: Tensor, knee: Tensor, reach: Tensor) -> Tensor:
    """Return the attenuation in dB at `over` dB beyond the threshold: `slope` dB per dB, at most `reach`.

    A compressor of ratio R has slope 1 - 1 / R over its threshold, an expander R - 1 under it.
    """
    return torch.minimum(slope * excess(over, knee), reach)


def attenuation(level: Tensor, curve: Tensor, *, power: bool = False, expands: bool = False) -> Tensor:
    """Return the attenuation in dB at levels, for whole signals.

    `level` >= 0, float64 [batch, channels, samples], is an amplitude, or a `power`; `curve` float64
    [batch, channels, 1 or samples, 4] holds threshold, slope, knee and reach, as `reduction` takes them.
    `expands` acts below the threshold rather than above it.
    """
    if compiled_for(level, curve):
        found: Tensor = _Attenuation.apply(level, curve, 2 if power else 1, -1.0 if expands else 1.0)  # type: ignore[no-untyped-call]
        return found
    threshold, slope, knee, reach = curve.unbind(-1)
    loud = decibels(level, power=power)
    return reduction(threshold - loud if expands else loud - threshold, slope, knee, reach)


class _Attenuation(torch.autograd.Function):
    """Run the compiled curve on decibels of level ** (1 / exponent)."""

    @staticmethod
    def forward(ctx: Any, level: Tensor, curve: Tensor, exponent: int, sign: float) -> Tensor:
        from fxkit_signal.compiled.gain_computer import attenuate

        levels, curves = (tensor.detach().contiguous().flatten(0, 1) for tensor in (level, curve))
        loud = decibels(levels, power=exponent == 2)
        ctx.save_for_backward(levels, loud, curves)
        ctx.exponent, ctx.sign = exponent, sign
        return torch.from_numpy(attenuate(loud.numpy(), curves.numpy(), sign)).view(level.shape)

    @staticmethod
    @once_differentiable
    def backward(ctx: Any, grad: Tensor) -> tuple[Tensor | None, ...]:
        from fxkit_signal.compiled.gain_computer import attenuate_adjoint

        levels, loud, curves = (tensor.numpy() for tensor in ctx.saved_tensors)
        scale, lowest = 1 / (ctx.exponent * NATURAL), FLOOR**ctx.exponent
        rows = grad.contiguous().flatten(0, 1).numpy()
        found = attenuate_adjoint(rows, levels, loud, curves, ctx.sign, scale, lowest)
        level, curve = (torch.from_numpy(gradient).unflatten(0, grad.shape[:2]) for gradient in found)
        return level, curve, None, None
