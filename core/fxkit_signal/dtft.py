"""Spectra of finite signals at any frequencies, and their group delay."""

from __future__ import annotations

import math

import torch
from torch import Tensor

_BLOCK = 256


class Transform:
    """Take the Fourier transform of signals of at most `samples` at the same `frequencies` again and again.

    X(f) = sum over n of x[n] exp(-2 pi i f n / rate)

    The exponentials of whole blocks and within a block are taken apart, so that few are needed.
    """

    def __init__(self, frequencies: Tensor, rate: float, samples: int) -> None:
        self.samples = samples
        turn = -2 * math.pi * frequencies.double() / rate
        blocks = -(-samples // _BLOCK)
        one = torch.ones((), dtype=torch.float64)
        inner = torch.polar(one, turn * torch.arange(_BLOCK)[:, None])
        # As real numbers, since what is transformed is real.
        self._inner = torch.view_as_real(inner).flatten(-2)
        self._outer = torch.polar(one, turn * (_BLOCK * torch.arange(blocks))[:, None])

    def spectrum(self, signal: Tensor) -> Tensor:
        """Return the transform of [..., samples], complex128 [..., points]."""
        blocks = -(-signal.shape[-1] // _BLOCK)
        padded = torch.nn.functional.pad(signal.double(), (0, blocks * _BLOCK - signal.shape[-1]))
        within = padded.unflatten(-1, (blocks, _BLOCK)) @ self._inner
        turned = torch.view_as_complex(within.unflatten(-1, (-1, 2))) * self._outer[:blocks]
        return turned.sum(-2)

    def with_delay(self, signal: Tensor) -> tuple[Tensor, Tensor]:
        """Return the transform of impulse responses [..., samples], and their group delay in samples.

        The delay is the real part of the transform of n x[n] over that of x[n] (Oppenheim and Schafer,
        Discrete-Time Signal Processing, 3rd ed. 2010, section 5.1); 0 where the response is 0.
        """
        times = torch.arange(signal.shape[-1]).double()
        spectrum, risen = self.spectrum(torch.stack([signal.double(), signal.double() * times]))
        silent = spectrum.abs() == 0
        return spectrum, torch.where(silent, 0.0, (risen / torch.where(silent, 1.0, spectrum)).real)


def dtft(signal: Tensor, frequencies: Tensor, rate: float) -> Tensor:
    """Return the Fourier transform of signals at given frequencies.

    `signal` [..., samples]; `frequencies` [points] in Hz. Returns complex128 [..., points]; see `Transform`.
    """
    return Transform(frequencies, rate, signal.shape[-1]).spectrum(signal)


def group_delay(signal: Tensor, frequencies: Tensor, rate: float) -> Tensor:
    """Return the group delay of impulse responses [..., samples] in samples, [..., points].

    As `Transform.with_delay` does.
    """
    return Transform(frequencies, rate, signal.shape[-1]).with_delay(signal)[1]


def log_frequencies(low: float, high: float, per_octave: int) -> Tensor:
    """Return frequencies in even ratios, at least `per_octave` to an octave, from `low` to `high` in Hz."""
    points = math.ceil(per_octave * math.log2(high / low)) + 1
    return low * (high / low) ** torch.linspace(0, 1, points, dtype=torch.float64)
