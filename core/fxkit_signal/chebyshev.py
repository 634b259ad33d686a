"""Chebyshev waveshaping: a sum of polynomials, each of which makes one harmonic of a full-scale cosine.

T_k(cos t) = cos(k t) (Le Brun, "Digital waveshaping synthesis", JAES 27(4), 1979). Outside [-1, 1] the
polynomials would grow as x^k, so the input is clipped there.
"""

from __future__ import annotations

import torch
from torch import Tensor

from fxkit_signal.shaping import Curve


def chebyshev(weights: Tensor) -> Curve:
    """Return the curve sum_k w_k (T_k(x) - T_k(0)), k = 1 .. order, for x clipped to [-1, 1].

    `weights` [batch, order, 1 or samples]; the curve maps [batch, channels, samples]. Taking T_k(0) away
    keeps silence silent.
    """
    each = weights.unsqueeze(2).unbind(1)
    rest = torch.stack(
        [-((-1) ** (k // 2)) * w for k, w in enumerate(each, 1) if k % 2 == 0] or [0 * each[0]]
    )
    lift = rest.sum(0)

    def value(x: Tensor) -> Tensor:
        return _sum(polynomials(x.clamp(-1, 1), len(each))[1:], each) + lift

    def integral(x: Tensor) -> Tensor:
        inside = x.clamp(-1, 1)
        return _sum(_integrals(inside, len(each)), each) + lift * inside + (x - inside) * value(inside)

    return Curve(value, integral)


def polynomials(x: Tensor, order: int) -> list[Tensor]:
    """Return T_0 .. T_order at x by T_(k+1) = 2 x T_k - T_(k-1)."""
    found = [torch.ones_like(x), x]
    for _ in range(order - 1):
        found.append(2 * x * found[-1] - found[-2])
    return found


def _integrals(x: Tensor, order: int) -> list[Tensor]:
    """Return the antiderivatives of T_1 .. T_order: (T_(k+1) / (k+1) - T_(k-1) / (k-1)) / 2."""
    t = polynomials(x, order + 1)
    return [x * x / 2] + [(t[k + 1] / (k + 1) - t[k - 1] / (k - 1)) / 2 for k in range(2, order + 1)]


def _sum(terms: list[Tensor], weights: tuple[Tensor, ...]) -> Tensor:
    total = weights[0] * terms[0]
    for weight, term in zip(weights[1:], terms[1:], strict=True):
        total = total + weight * term
    return total
