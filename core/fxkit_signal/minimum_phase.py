"""Filters of least delay for a given magnitude."""

from __future__ import annotations

import torch
from torch import Tensor

# The cepstrum of a deep notch is long; where it wraps around, the magnitude errs.
_OVERSAMPLING = 8


def grid_points(taps: int) -> int:
    """Return how many magnitudes, from 0 to half the rate, `minimum_phase` takes for so many taps."""
    return _OVERSAMPLING // 2 * (1 << (taps - 1).bit_length()) + 1


def minimum_phase(log_magnitude: Tensor, taps: int) -> Tensor:
    """Return the first `taps` taps of the minimum-phase filter of a magnitude.

    `log_magnitude` [..., points] is the natural logarithm at even steps from 0 to half the rate, with
    `points` - 1 a power of two well above `taps` (see `grid_points`). The real cepstrum is folded onto its
    causal side (Oppenheim and Schafer, Discrete-Time Signal Processing, 3rd ed. 2010, section 13.5).
    Returns [..., taps] of the same type. Differentiable.
    """
    size = 2 * (log_magnitude.shape[-1] - 1)
    cepstrum = torch.fft.irfft(log_magnitude, size)
    half = size // 2
    inner = 2 * cepstrum[..., 1:half]
    folded = torch.cat([cepstrum[..., :1], inner, cepstrum[..., half : half + 1]], dim=-1)
    response: Tensor = torch.fft.irfft(torch.fft.rfft(folded, size).exp(), size)
    return response[..., :taps]
