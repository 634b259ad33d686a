"""Antiderivative antialiasing: waveshaping that averages the curve over the way between samples.

A curve applied to samples aliases because what it makes above half the sample rate folds back. Applied
to the straight lines between samples, in continuous time, and averaged over one sample, it aliases
less: the average is a difference of antiderivatives (Parker, Zavalishin and Le Bivic, "Reducing the
aliasing of nonlinear waveshaping using continuous-time convolution", DAFx-16, eq. 10). There the window
spans from one sample to the next, so that the output is late by half a sample. Here it is centred on a
sample: half of it lies before, half behind. The output is late by exactly one sample, and a small
signal passes the symmetric filter [1, 6, 1] / 8 (-2.5 dB at a quarter of the sample rate).
"""

from __future__ import annotations

from typing import TypedDict

import torch
from torch import Tensor

from fxkit_signal.shaping import Curve

# Closer ends than this take the value in the middle: its error there, f'' h^2 / 24, and that of the
# quotient, which rounds at |F| 1e-16 / h, are both below 1e-9 up to |F| = 1000.
NEAR = 1e-4


class AntialiasingState(TypedDict):
    """Hold the last input sample, and the mean over the half sample before it; float64 [..., 1]."""

    last: Tensor
    half: Tensor


def mean_along(start: Tensor, stop: Tensor, curve: Curve) -> Tensor:
    """Average a curve over [start, stop], element by element; finite gradients where they meet."""
    way = stop - start
    near = way.abs() < NEAR
    safe = torch.where(near, torch.ones_like(way), way)
    quotient = (curve.integral(stop) - curve.integral(start)) / safe
    return torch.where(near, curve.value((start + stop) / 2), quotient)


def antialiased(
    x: Tensor, curve: Curve, state: AntialiasingState | None = None
) -> tuple[Tensor, AntialiasingState]:
    """Shape a signal by a curve with little aliasing, one sample late.

    `x` [..., samples] of any float type; the curve may hold tensors that broadcast against it (moving
    bias, limits), those of a sample serve the way that leads to it. State None means rest: zero input
    and zero output. Returns the type of `x` and the next state; computed in float64, because a
    difference of antiderivatives loses half the digits.
    """
    fine = x.double()
    if state is None:
        rest = torch.zeros_like(fine[..., :1])
        state = {"last": rest, "half": rest}
    before = torch.cat((state["last"], fine), dim=-1)
    start = before[..., :-1]
    middle = (start + fine) / 2
    first, second = mean_along(start, middle, curve), mean_along(middle, fine, curve)
    halves = torch.cat((state["half"], second), dim=-1)
    y = (halves[..., :-1] + first) / 2
    return y.to(x.dtype), {"last": before[..., -1:], "half": halves[..., -1:]}
