"""Alignment of a dry and a wet recording: latency to a fraction of a sample, polarity and gain.

A device's phase is that of its minimum-phase counterpart (which its magnitude alone determines) plus
an excess; only the excess delays. The report therefore estimates the transfer function, removes the
minimum phase, and takes the peak of the remaining phase transform. Equalisers, coupling capacitors
and tone stacks then read as no delay, which the plain correlation peak gets wrong.
"""

from __future__ import annotations

import math
from collections.abc import Iterator

import attrs
import numpy as np
import torch
from torch import Tensor

_FINE = 8192
_OVERSAMPLING = 16
_SHORTEST = 512


@attrs.frozen(kw_only=True)
class Alignment:
    """Hold how a wet recording lies to its dry one.

    `latency` in samples, positive when wet is late; `polarity` 1 or -1; `gain_db` of the best single
    gain once aligned; `confidence` in [0, 1]: the share of wet's energy that is coherent with dry, times
    the agreement of all frequencies on this latency, times a penalty for recordings that hold too few
    frequencies to tell. Unrelated, silent or non-finite recordings score 0 or nearly so. Filters score
    above 0.95, heavy compression, modulation and distortion about 0.5 to 0.9.
    """

    latency: float
    polarity: int
    gain_db: float
    confidence: float


_UNKNOWN = Alignment(latency=0.0, polarity=1, gain_db=0.0, confidence=0.0)


def align_report(dry: Tensor, wet: Tensor, rate: float, max_latency: float = 0.5) -> Alignment:
    """Estimate latency, polarity and gain of `wet` against `dry`.

    `dry` and `wet` [channels, samples] or [samples], of any length, at `rate` in Hz; one channel is
    compared with every channel of the other. Latencies up to `max_latency` seconds either way are
    found. Knapp and Carter, The Generalized Correlation Method for Estimation of Time Delay (1976), with
    the maximum-likelihood weighting of their table I; minimum phase after Oppenheim and Schafer,
    Discrete-Time Signal Processing, 12.2.
    """
    dry, wet = torch.broadcast_tensors(*_same_length(dry, wet))
    level = dry.abs().max() * wet.abs().max() if dry.shape[-1] >= _SHORTEST else torch.zeros(())
    if not 0 < float(level) < math.inf:
        return _UNKNOWN
    reach = math.ceil(max_latency * rate)
    latency = _coarse_latency(dry, wet, reach)
    for _ in range(3):
        spectra = _Spectra.of(*_overlap(dry, wet, latency), _FINE)
        fine, agreement = _excess_delay(spectra, rate)
        if abs(fine) < spectra.length / 32:
            break
        latency += round(fine)
    return _report(spectra, latency, fine, agreement)


def fractional_shift(audio: Tensor, samples: float, half_width: int = 64) -> Tensor:
    """Delay audio by `samples`, whole or not; negative values advance it.

    `audio` [..., time]; the result has the same length, with silence where nothing is known. Kaiser-windowed
    sinc of 2 * `half_width` taps (Laakso et al., Splitting the Unit Delay, 1996): flat to 0.001 dB up
    to 0.95 of half the sample rate.
    """
    whole = math.floor(samples)
    fraction = samples - whole
    if fraction == 0:
        return _shift(audio, whole)
    taps = torch.arange(-half_width + 1, half_width + 1, dtype=torch.float64) - fraction
    window = torch.i0(9.0 * (1 - (taps / half_width).clamp(-1, 1) ** 2).sqrt()) / torch.i0(torch.tensor(9.0))
    kernel = (torch.sinc(taps) * window).flip(0).to(audio.dtype).to(audio.device)
    padded = torch.nn.functional.pad(audio.reshape(-1, 1, audio.shape[-1]), (half_width, half_width - 1))
    shifted = torch.nn.functional.conv1d(padded, kernel[None, None]).reshape(audio.shape)
    return _shift(shifted, whole)


@attrs.frozen(eq=False)
class _Spectra:
    """Hold averaged power spectra of dry and wet, their cross spectrum, and over how many frames."""

    dry: Tensor
    wet: Tensor
    cross: Tensor
    length: int
    frames: int

    @classmethod
    def of(cls, dry: Tensor, wet: Tensor, longest: int) -> _Spectra:
        """Average over half-overlapping Hann frames of all channels (Welch, 1967)."""
        length = min(longest, 2 ** int(math.log2(dry.shape[-1] / 8)))
        window = torch.hann_window(length, dtype=torch.float64)
        sums: list[Tensor] = [torch.zeros(length // 2 + 1, dtype=torch.complex128) for _ in range(3)]
        frames = 0
        for x, y in _pieces(dry, wet, 64 * length, length // 2):
            a, b = (torch.fft.rfft(z.unfold(-1, length, length // 2) * window).flatten(0, -2) for z in (x, y))
            for total, (left, right) in zip(sums, ((a, a), (b, b), (a, b)), strict=True):
                total += (left.conj() * right).sum(0)
            frames += a.shape[0]
        return cls(sums[0].real, sums[1].real, sums[2], length, frames)

    def coherence(self) -> Tensor:
        """Return the magnitude-squared coherence, less what unrelated signals would show by chance."""
        raw = self.cross.abs().square() / (self.dry * self.wet).clamp_min(1e-300)
        return ((raw * self.frames - 1) / max(self.frames - 1, 1)).clamp(0, 1)


def _pieces(dry: Tensor, wet: Tensor, size: int, overlap: int) -> Iterator[tuple[Tensor, Tensor]]:
    """Cut both signals into float64 pieces that share `overlap` samples, so that memory stays bounded."""
    for start in range(0, max(dry.shape[-1] - overlap, 1), size - overlap):
        stop = min(start + size, dry.shape[-1])
        if stop - start >= 2 * overlap:
            yield dry[..., start:stop].double(), wet[..., start:stop].double()


def _same_length(dry: Tensor, wet: Tensor) -> tuple[Tensor, Tensor]:
    samples = min(dry.shape[-1], wet.shape[-1])
    dry, wet = (torch.atleast_2d(signal)[:, :samples] for signal in (dry, wet))
    return dry, wet


def _overlap(dry: Tensor, wet: Tensor, latency: int) -> tuple[Tensor, Tensor]:
    """Cut what both recordings hold once `wet` is advanced by `latency`."""
    samples = dry.shape[-1] - abs(latency)
    return dry[..., max(-latency, 0) :][..., :samples], wet[..., max(latency, 0) :][..., :samples]


def _shift(audio: Tensor, samples: int) -> Tensor:
    size = audio.shape[-1]
    moved = torch.zeros_like(audio)
    if abs(samples) < size:
        moved[..., max(samples, 0) : size + min(samples, 0)] = audio[
            ..., max(-samples, 0) : size - max(samples, 0)
        ]
    return moved


def _coarse_latency(dry: Tensor, wet: Tensor, reach: int) -> int:
    """Find the latency to about a sample by correlation of spectrally flattened signals."""
    size = min(4 * reach, dry.shape[-1])
    points = 2 ** math.ceil(math.log2(size + reach))
    spectra = [torch.zeros(points // 2 + 1, dtype=torch.complex128) for _ in range(3)]
    for x, y in _pieces(dry, wet, size, 0):
        a, b = torch.fft.rfft(x, points), torch.fft.rfft(y, points)
        for total, (left, right) in zip(spectra, ((a, a), (b, b), (a, b)), strict=True):
            total += (left.conj() * right).sum(0)
    flat = [_smooth(power.real, points // 512) for power in spectra[:2]]
    correlation = torch.fft.irfft(spectra[2] / (flat[0] * flat[1]).sqrt().clamp_min(1e-30), points)
    reach = min(reach, size - 1)
    near = torch.cat([correlation[-reach:], correlation[: reach + 1]])
    return int(near.abs().argmax()) - reach


def _smooth(power: Tensor, width: int) -> Tensor:
    odd = max(width // 2 * 2 + 1, 1)
    return torch.nn.functional.avg_pool1d(power[None], odd, 1, odd // 2, count_include_pad=False)[0]


def _excess_delay(spectra: _Spectra, rate: float) -> tuple[float, float]:
    """Return the signed peak of the phase transform of what exceeds minimum phase: place and height.

    The height is negative for inverted polarity; its magnitude is the mean agreement of the phases.
    """
    coherence = spectra.coherence()
    weight = coherence / (1.001 - coherence)
    weight[: math.ceil(20 * spectra.length / rate)] = 0
    phase = torch.angle(spectra.cross) - _minimum_phase(spectra, weight)
    points = _OVERSAMPLING * spectra.length
    transform = torch.fft.irfft(torch.polar(weight, phase), points)
    transform *= points / (2 * weight.sum().clamp_min(1e-30))
    peak = int(transform.abs().argmax())
    left, top, right = (float(transform[(peak + step) % points].abs()) for step in (-1, 0, 1))
    vertex = 0.5 * (left - right) / min(left - 2 * top + right, -1e-30)
    place = (peak + vertex + points / 2) % points - points / 2
    return place / _OVERSAMPLING, math.copysign(min(top, 1.0), float(transform[peak]))


def _minimum_phase(spectra: _Spectra, weight: Tensor) -> Tensor:
    """Return the phase that the magnitude of wet over dry implies, by folding its cepstrum.

    Bins without coherence take their magnitude from the nearest bins that have it.
    """
    level = (spectra.cross.abs() / spectra.dry.clamp_min(1e-300)).clamp_min(1e-12).log()
    known = np.flatnonzero((weight > 0.5).numpy())
    if len(known) == 0:
        return torch.zeros_like(level)
    filled = torch.from_numpy(np.interp(np.arange(len(level)), known, level.numpy()[known]))
    cepstrum = torch.fft.irfft(filled, spectra.length)
    fold = torch.zeros_like(cepstrum)
    fold[1 : spectra.length // 2] = 2
    phase: Tensor = torch.fft.rfft(cepstrum * fold).imag
    return phase


def _report(spectra: _Spectra, latency: int, fine: float, agreement: float) -> Alignment:
    coherence = spectra.coherence()
    turn = torch.arange(len(spectra.cross), dtype=torch.float64) * (2 * math.pi * fine / spectra.length)
    projection = (spectra.cross * torch.polar(torch.ones_like(turn), turn)).real.sum() / spectra.dry.sum()
    related = float((coherence * spectra.wet).sum() / spectra.wet.sum())
    filled = spectra.dry.sort(descending=True).values.cumsum(0)
    covered = float((filled < 0.999 * filled[-1]).sum() + 1) / spectra.length
    return Alignment(
        latency=latency + fine,
        polarity=1 if agreement >= 0 else -1,
        gain_db=20 * math.log10(max(abs(float(projection)), 1e-10)),
        confidence=related * abs(agreement) * min(1.0, 256 * covered),
    )
