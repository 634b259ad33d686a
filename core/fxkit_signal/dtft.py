"""Spectra of finite signals at any frequencies, and their group delay."""

from __future__ import annotations

import math

import torch
from torch import Tensor

_BLOCK = 64


def dtft(signal: Tensor, frequencies: Tensor, rate: float) -> Tensor:
    """Return the Fourier transform of signals at given frequencies.

    X(f) = sum over n of x[n] exp(-2 pi i f n / rate)

    `signal` [..., samples]; `frequencies` [points] in Hz. The exponentials of whole blocks and within a block
    are taken apart, so that few are needed. Returns complex128 [..., points].
    """
    blocks = -(-signal.shape[-1] // _BLOCK)
    padded = torch.nn.functional.pad(signal.double(), (0, blocks * _BLOCK - signal.shape[-1]))
    turn = -2 * math.pi * frequencies.double() / rate
    inner = torch.polar(torch.ones(()).double(), turn * torch.arange(_BLOCK)[:, None])
    outer = torch.polar(torch.ones(()).double(), turn * (_BLOCK * torch.arange(blocks))[:, None])
    within = padded.unflatten(-1, (blocks, _BLOCK)).to(torch.complex128) @ inner
    spectrum: Tensor = (within * outer).sum(-2)
    return spectrum


def group_delay(signal: Tensor, frequencies: Tensor, rate: float) -> Tensor:
    """Return the group delay of impulse responses [..., samples] in samples, [..., points].

    The real part of the transform of n x[n] over that of x[n] (Oppenheim and Schafer, Discrete-Time Signal
    Processing, 3rd ed. 2010, section 5.1); 0 where the response is 0.
    """
    times = torch.arange(signal.shape[-1]).double()
    spectrum = dtft(signal, frequencies, rate)
    silent = spectrum.abs() == 0
    ratio = dtft(signal.double() * times, frequencies, rate) / torch.where(silent, 1.0, spectrum)
    return torch.where(silent, 0.0, ratio.real)


def log_frequencies(low: float, high: float, per_octave: int) -> Tensor:
    """Return frequencies in even ratios, at least `per_octave` to an octave, from `low` to `high` in Hz."""
    points = math.ceil(per_octave * math.log2(high / low)) + 1
    return low * (high / low) ** torch.linspace(0, 1, points, dtype=torch.float64)
