"""Designs that build on single sections: first order, Butterworth cascades, tilt, graphic equaliser.

Like the designs in `fxkit_signal.biquad` they take tensors that broadcast against each other and give
float64 sections b0 b1 b2 a0 a1 a2 with a0 = 1. First-order designs use the bilinear transform,
s = (1 - z^-1) / (k (1 + z^-1)) with k = tan(pi f / rate), so that the corner stays where it was asked.
"""

from __future__ import annotations

import math
from collections.abc import Sequence
from typing import NamedTuple

import torch
from torch import Tensor

from fxkit_signal.biquad import high_pass, low_pass, peak

# What is left of a peak's level, in dB, at the next centre: wider peaks ripple less where all sliders agree.
_LEAK = 0.4
_REFERENCE_DB = 12.0
_CORRECTIONS = 8


def first_order_low_pass(frequency: Tensor, rate: float) -> Tensor:
    """Design first-order low-passes, -3 dB at `frequency` in Hz; returns [..., 6]."""
    k = _warped(frequency, rate)
    return _first_order(k, k, k + 1, k - 1)


def first_order_high_pass(frequency: Tensor, rate: float) -> Tensor:
    """Design first-order high-passes, -3 dB at `frequency` in Hz; returns [..., 6]."""
    k = _warped(frequency, rate)
    one = torch.ones_like(k)
    return _first_order(one, -one, k + 1, k - 1)


def first_order_all_pass(frequency: Tensor, rate: float) -> Tensor:
    """Design all-passes that turn the phase by 90 degrees at `frequency` in Hz; returns [..., 6]."""
    k = _warped(frequency, rate)
    return _first_order(k - 1, k + 1, k + 1, k - 1)


def tilt(frequency: Tensor, gain_db: Tensor, rate: float) -> Tensor:
    """Design sections that turn the spectrum about a pivot: H(s) = (g s + w) / (s + g w).

    The level rises by `gain_db` far above `frequency` and falls by as much far below it, and stays the
    same at `frequency`. Returns [..., 6].
    """
    k, g = torch.broadcast_tensors(_warped(frequency, rate), 10 ** (gain_db.double() / 20))
    return _first_order(g + k, k - g, 1 + g * k, g * k - 1)


def low_pass_cascade(frequency: Tensor, q: Tensor, rate: float, *, order: int) -> Tensor:
    """Design low-passes of order 2 and up; returns [..., (order + 1) // 2, 6].

    The poles are Butterworth's, except that the Q of the sharpest pair is scaled so that the level at
    `frequency` is `q` whatever the order; 0.7071 is Butterworth itself, maximally flat (Butterworth, On
    the theory of filter amplifiers, 1930).
    """
    sections = [low_pass(frequency, pair, rate) for pair in _pairs(q, order)]
    return torch.stack([first_order_low_pass(frequency, rate)] * (order % 2) + sections, dim=-2)


def high_pass_cascade(frequency: Tensor, q: Tensor, rate: float, *, order: int) -> Tensor:
    """Design high-passes of any order; see `low_pass_cascade`."""
    sections = [high_pass(frequency, pair, rate) for pair in _pairs(q, order)]
    return torch.stack([first_order_high_pass(frequency, rate)] * (order % 2) + sections, dim=-2)


def _pairs(q: Tensor, order: int) -> list[Tensor]:
    """Return the Q of each pair of poles, the sharpest last."""
    angles = [math.pi * (2 * pair + 1 + order % 2) / (2 * order) for pair in range(order // 2)]
    plain = [q.new_tensor(1 / (2 * math.cos(angle)), dtype=torch.float64) for angle in angles]
    return [*plain[:-1], plain[-1] * math.sqrt(2) * q.double()]


def graphic_equalizer(levels_db: Tensor, rate: float, *, centres: Sequence[float]) -> Tensor:
    """Design a cascade of peaks whose response at each centre is the level asked for there.

    `levels_db` [..., bands] at as many `centres` in Hz, ascending, two or more. Each peak is so wide
    that 0.4 of its level is left at the next centre, so neighbours add up; the gains of the peaks are
    found from the levels by Newton's method with one fixed matrix of how the bands interact (Oliver and
    Jot, Efficient multi-band digital audio graphic equalizer with accurate frequency response control,
    2015; Välimäki and Liski, Accurate cascade graphic equalizer, 2017). Octave or third-octave bands
    meet any levels within 12 dB either way to 0.05 dB; steeper zigzags need not be met. Returns
    [..., bands, 6].
    """
    levels = levels_db.double()
    points = levels.new_tensor(centres)
    q = _graphic_q(points, rate)
    bands = _Bands.at(points, q, rate)
    with torch.no_grad():
        gains = bands.solved(levels)
    if levels.requires_grad:
        # Nothing is added but the gradient: that of the gains for which these are the levels.
        gains = gains + torch.linalg.solve(bands.slopes(gains), (levels - levels.detach())[..., None])[..., 0]
    return peak(points, gains, q, rate)


class _Bands(NamedTuple):
    """Hold how peaks of fixed width add up at their centres, both [points, bands].

    A peak with the factor a = 10^(gain / 40) has |H|^2 = (d + e a^2) / (d + e / a^2) at a frequency w, with
    d = (cos w - cos w0)^2 and e = (alpha sin w)^2.
    """

    d: Tensor
    e: Tensor

    @classmethod
    def at(cls, centres: Tensor, q: Tensor, rate: float) -> _Bands:
        """Gather the numbers for peaks at `centres`, seen at the same frequencies."""
        omega = centres * (2 * math.pi / rate)
        point, centre = omega[:, None], omega
        # The difference of two cosines, written so that it keeps its digits at low frequencies.
        difference = 2 * ((point + centre) / 2).sin() * ((point - centre) / 2).sin()
        return cls(difference**2, (centre.sin() / (2 * q) * point.sin()) ** 2)

    def levels(self, gains: Tensor) -> Tensor:
        """Return the level in dB of each peak at each point: [..., points, bands]."""
        power = 10 ** (gains[..., None, :] / 20)
        levels: Tensor = 10 * ((self.d + self.e * power) / (self.d + self.e / power)).log10()
        return levels

    def slopes(self, gains: Tensor) -> Tensor:
        """Return the derivative of each level by its peak's gain."""
        power = 10 ** (gains[..., None, :] / 20)
        up, down = self.e * power, self.e / power
        return (up / (self.d + up) + down / (self.d + down)) / 2

    def solved(self, levels: Tensor) -> Tensor:
        """Return the gains that make the levels at the centres: Newton's method with one fixed matrix."""
        typical = torch.full_like(self.d[0], _REFERENCE_DB)
        inverse = torch.linalg.inv(self.levels(typical) / _REFERENCE_DB).mT
        gains: Tensor = levels @ inverse
        for _ in range(_CORRECTIONS):
            gains = gains + (levels - self.levels(gains).sum(-1)) @ inverse
        return gains


def _graphic_q(centres: Tensor, rate: float) -> Tensor:
    """Return the Q at which a small gain leaks the share `_LEAK` to the centre below.

    With x = Q (w / w' - w' / w) that share is 1 / (1 + x^2), w being the warped frequencies.
    """
    warped = _warped(centres, rate)
    ratio = warped[1:] / warped[:-1]
    ratio = torch.cat([ratio[:1], ratio])
    return math.sqrt(1 / _LEAK - 1) / (ratio - 1 / ratio)


def _warped(frequency: Tensor, rate: float) -> Tensor:
    return (frequency.double() * (math.pi / rate)).tan()


def _first_order(b0: Tensor, b1: Tensor, a0: Tensor, a1: Tensor) -> Tensor:
    zero = torch.zeros_like(a0)
    return torch.stack([b0, b1, zero, a0, a1, zero], dim=-1) / a0[..., None]
