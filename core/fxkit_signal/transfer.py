"""Estimate the transfer function of a device from what went in and what came out."""

from __future__ import annotations

import math
from collections.abc import Iterable
from typing import NamedTuple

import torch
from torch import Tensor

_SEGMENT_SECONDS = 0.3


class Spectra(NamedTuple):
    """Hold power spectra of `dry` and `wet` and their cross spectrum, summed over segments, each [bins]."""

    dry: Tensor
    wet: Tensor
    cross: Tensor


def segment_spectra(signal: Tensor, rate: float) -> Tensor:
    """Transform segments of about 0.3 s, half overlapping, with a Hann window (Welch, 1967).

    Returns complex64 [segments, bins]; none of a signal [samples] that is shorter than a segment.
    """
    size = 1 << math.ceil(math.log2(_SEGMENT_SECONDS * rate))
    if signal.shape[-1] < size:
        return torch.zeros(0, size // 2 + 1, dtype=torch.complex64)
    spectra: Tensor = torch.fft.rfft(signal.float().unfold(-1, size, size // 2) * torch.hann_window(size))
    return spectra


def cross_spectrum(one: Tensor, other: Tensor) -> Tensor:
    """Sum the cross spectrum of two signals over their segments, complex128 [bins]."""
    return (one.conj() * other).sum(0, dtype=torch.complex128)


def segments_together(dry: Tensor, wet: Tensor) -> Spectra:
    """Return the spectra of what went in and what came out, each given by its segments."""
    return Spectra(cross_spectrum(dry, dry).real, cross_spectrum(wet, wet).real, cross_spectrum(dry, wet))


def cross_spectra(pairs: Iterable[tuple[Tensor, Tensor]], rate: float) -> Spectra:
    """Sum spectra of pairs of recordings.

    Each pair holds what went in and what came out, [samples]; what is shorter than a segment is left out.
    """
    silence = segment_spectra(torch.zeros(0), rate)
    total = segments_together(silence, silence)
    for pair in pairs:
        new = segments_together(*(segment_spectra(one, rate) for one in pair))
        total = Spectra(*(before + more for before, more in zip(total, new, strict=True)))
    return total


def transfer_gain(
    spectra: Spectra, frequencies: Tensor, rate: float, *, octaves: float = 1 / 3
) -> tuple[Tensor, Tensor]:
    """Return the gain at `frequencies` [points] in Hz, and the coherence there.

    H1, the cross spectrum over the power of the input, which noise in the output does not bias, and the
    share of the output's power that it explains (Bendat and Piersol, Random Data, 4th ed. 2010, section 6.1),
    over bands of `octaves`, in which each bin counts by its power. Float64 [points]; NaN and 0 where
    nothing went in.
    """
    step = rate / 2 / (len(spectra.dry) - 1)
    nearest = (frequencies / step).round()
    half = 2 ** (octaves / 2)
    low = torch.minimum((frequencies / half / step).ceil(), nearest).long()
    high = torch.maximum((frequencies * half / step).floor(), nearest).long().clamp(max=len(spectra.dry) - 1)
    # Of powers far below the loudest, rounding has left nothing.
    heard = spectra.dry > 1e-12 * spectra.dry.max()
    explained = torch.where(heard, spectra.cross.abs() ** 2 / torch.where(heard, spectra.dry, 1.0), 0.0)
    dry, wet, through = (_between(one, low, high) for one in (spectra.dry, spectra.wet, explained))
    sounds = _between(heard.double(), low, high) > 0
    gain = torch.where(sounds, (through / torch.where(sounds, dry, 1.0)).sqrt(), math.nan)
    coherence = through / wet.clamp(min=torch.finfo(torch.float64).tiny)
    return gain, torch.where(sounds, coherence, 0.0).clamp(max=1.0)


def _between(values: Tensor, low: Tensor, high: Tensor) -> Tensor:
    sums = torch.nn.functional.pad(values.cumsum(0), (1, 0))
    return sums[high + 1] - sums[low]
