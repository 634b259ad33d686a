"""Fundamental frequency of one voice: YIN candidates per frame, and the cheapest path through them.

The difference function here weights each pair of samples by a window at both, so that every lag is
centred on the same sample. Outside the recording the weight is zero: the edges need no invented sound.
"""

from __future__ import annotations

from typing import NamedTuple

import attrs
import torch
from scipy.fft import next_fast_len
from torch import Tensor

from fxkit_signal.pitch_path import UNREACHABLE, PathCosts, cheapest_path, hold

_PERIODS = 3
_CANDIDATES = 10
_TAPS = 12
_STEPS = 4
_CHUNK_ELEMENTS = 2**19
# Short lags first among the candidates; the path itself prefers them far less (PathCosts.octave).
_SELECTION_PER_OCTAVE = 0.1
# A period at the centre that carries less than this share of the frame's power is outside the tone.
_CENTRE_SHARE = 0.1
# The cumulative mean of a sine comes down to 0.87 of twice its power after its first rise.
_LOWEST_MEAN = 0.85
_RANGE_TOLERANCE = 2 ** (1 / 24)


@attrs.frozen(kw_only=True)
class PitchTrack:
    """Hold a pitch per frame.

    `f0` [frames] in Hz, always above 0: where nothing is voiced the last voiced value goes on, and
    before the first voiced frame its value holds. `confidence` [frames] in [0, 1]: the share of the
    power that repeats with the period, above 0 where voiced and 0 where not. `voiced` [frames] boolean.
    """

    f0: Tensor
    confidence: Tensor
    voiced: Tensor


class Candidates(NamedTuple):
    """Hold what may be the period: frequencies in Hz and aperiodic shares of power, [frames, 10]."""

    f0: Tensor
    aperiodicity: Tensor


@attrs.frozen(kw_only=True)
class YIN:
    """Find candidates for the period in frames of a recording.

    `rate` in Hz, `hop` in samples; periods between 1 / `ceiling` and 1 / `floor` seconds are found.
    `silence` in dB against a mean square of 1: less than that is not looked at. Frames are Hann
    windows of three periods of `floor`.
    """

    rate: float
    hop: int
    floor: float
    ceiling: float
    silence: float

    def __attrs_post_init__(self) -> None:
        if not 0 < self.floor < self.ceiling <= self.rate / 4:
            raise ValueError(
                f"pitch between {self.floor:g} and {self.ceiling:g} Hz at {self.rate:g} Hz: "
                f"needs 0 < floor < ceiling <= {self.rate / 4:g} Hz"
            )

    @property
    def longest(self) -> int:
        """Return the longest lag that is looked at, in samples."""
        return int(self.rate / self.floor * _RANGE_TOLERANCE) + 1

    @property
    def shortest(self) -> int:
        """Return the shortest lag that is looked at, in samples."""
        return int(self.rate / self.ceiling / _RANGE_TOLERANCE)

    @property
    def half(self) -> int:
        """Return the samples of a frame on either side of its centre."""
        return _PERIODS * self.longest // 2

    def candidates(self, audio: Tensor) -> Candidates:
        """Return the candidates of every frame of `audio` [samples]; frame k is centred on k * hop."""
        frames = audio.shape[-1] // self.hop + 1
        padded = torch.nn.functional.pad(audio, (self.half, self.half + 1))
        chunk = max(1, _CHUNK_ELEMENTS // (2 * self.half + 1))
        found = [
            self._chunk(padded, first, min(first + chunk, frames), audio.shape[-1])
            for first in range(0, frames, chunk)
        ]
        return Candidates(*(torch.cat(part) for part in zip(*found, strict=True)))

    def _chunk(self, padded: Tensor, first: int, last: int, samples: int) -> Candidates:
        size = 2 * self.half + 1
        segment = padded[first * self.hop : (last - 1) * self.hop + size]
        frames = segment.unfold(0, size, self.hop)
        weights = self._weights(first, last, samples, segment)
        lags = self.longest + _TAPS + 2
        difference, power = weighted_difference(frames, weights, lags)
        candidates, lag = self._dips(difference, aperiodic_power(difference, power))
        centres = torch.arange(last - first, device=segment.device)[:, None] * self.hop + self.half
        central = _power_around(segment, centres, lag)
        loud = central >= (power[:, None] * _CENTRE_SHARE).clamp(min=10 ** (self.silence / 10))
        aperiodicity = torch.where(loud, candidates.aperiodicity, UNREACHABLE)
        return Candidates(candidates.f0, aperiodicity)

    def _weights(self, first: int, last: int, samples: int, like: Tensor) -> Tensor:
        size = 2 * self.half + 1
        hann = torch.hann_window(size + 2, periodic=False, dtype=like.dtype, device=like.device)[None, 1:-1]
        if first * self.hop >= self.half and (last - 1) * self.hop + self.half < samples:
            return hann
        centre = torch.arange(first, last, device=like.device)[:, None] * self.hop
        place = centre + torch.arange(-self.half, self.half + 1, device=like.device)
        return hann * ((place >= 0) & (place < samples))

    def _dips(self, difference: Tensor, whole: Tensor) -> tuple[Candidates, Tensor]:
        """Return the candidates of each frame and their lags in whole samples, [frames, 10]."""
        normalised = difference / whole
        inner = slice(self.shortest, self.longest + 1)
        middle = normalised[:, inner]
        before = normalised[:, self.shortest - 1 : self.longest]
        after = normalised[:, self.shortest + 1 : self.longest + 2]
        lags = torch.arange(self.shortest, self.longest + 1, device=difference.device)
        score = middle + _SELECTION_PER_OCTAVE * torch.log2(lags.to(difference.dtype))
        dip = (middle <= before) & (middle < after)
        score = torch.where(dip, score, UNREACHABLE)
        best, index = score.topk(min(_CANDIDATES, len(lags)), dim=1, largest=False, sorted=False)
        lag = lags[index]
        offset, depth = refine_dips(difference, lag)
        aperiodicity = depth / whole.gather(1, lag)
        f0 = self.rate / (lag + offset)
        held = f0.clamp(self.floor, self.ceiling)
        far = torch.maximum(f0 / held, held / f0) > _RANGE_TOLERANCE
        return Candidates(held, torch.where(far | (best >= UNREACHABLE), UNREACHABLE, aperiodicity)), lag


def weighted_difference(frames: Tensor, weights: Tensor, lags: int) -> tuple[Tensor, Tensor]:
    """Return the mean squared difference of each frame to itself at lags 0 ... lags - 1, and its power.

    `frames` [frames, size], `weights` [frames or 1, size]. With w the weights and x a frame less its
    weighted mean, d(t) = sum_j w_j w_{j+t} (x_j - x_{j+t})^2 / sum_j w_j w_{j+t}: eq. 6 of de
    Cheveigne and Kawahara, YIN (2002), where every lag is centred on the middle of the frame. Returns
    [frames, lags] and [frames], the mean of x^2 weighted by w^2.
    """
    size = frames.shape[-1]
    length = next_fast_len(size + lags, real=True)
    tiny = _tiny(frames)
    total = weights.sum(-1, keepdim=True).clamp(min=tiny)
    centred = frames - (frames * weights).sum(-1, keepdim=True) / total
    weighted = centred * weights
    spectrum = torch.fft.rfft(weighted, length)
    energies = torch.fft.rfft(weighted * centred, length)
    window = torch.fft.rfft(weights, length)
    pairs = torch.fft.irfft(_square(window), length)[:, :lags]
    cross = energies.real * window.real + energies.imag * window.imag
    sums = 2 * torch.fft.irfft(cross - _square(spectrum), length)[:, :lags]
    enough = pairs > 1e-3 * weights.shape[-1] / 8
    difference = torch.where(enough, sums / pairs.clamp(min=tiny), 2 * sums[:, :1])
    power = weighted.square().sum(-1) / weights.square().sum(-1).clamp(min=tiny)
    return torch.where(enough, difference, 2 * power[:, None]), power


def _square(spectrum: Tensor) -> Tensor:
    return spectrum.real.square() + spectrum.imag.square()


def cumulative_mean(difference: Tensor) -> Tensor:
    """Return the mean over lags 1 ... t for every lag t (1 at lag 0): the divisor of YIN's eq. 8."""
    lags = torch.arange(1, difference.shape[-1], dtype=difference.dtype, device=difference.device)
    mean = difference[:, 1:].cumsum(-1) / lags
    tiny = _tiny(difference)
    return torch.nn.functional.pad(mean.clamp(min=tiny), (1, 0), value=1.0)


def aperiodic_power(difference: Tensor, power: Tensor) -> Tensor:
    """Return what `difference` [frames, lags] would be at each lag if nothing repeated.

    That is twice the `power` [frames], but at lags so short that the sound has hardly moved the
    cumulative mean, as in YIN. Past 0.43 of a sine's period it is constant: where the cumulative mean
    itself falls, it would draw the dips of noisy sounds towards shorter lags.
    """
    return torch.minimum(cumulative_mean(difference) / _LOWEST_MEAN, 2 * power[:, None] + _tiny(power))


def _tiny(like: Tensor) -> float:
    return torch.finfo(like.dtype).tiny


def refine_dips(difference: Tensor, lag: Tensor) -> tuple[Tensor, Tensor]:
    """Return where between the samples each dip is lowest, and how low.

    `difference` [frames, lags] is band-limited: Lagrange interpolation to quarter samples, then
    a parabola, finds the minimum near `lag` [frames, n]. Returns offsets from `lag` and values >= 0.
    """
    reach = torch.arange(-_TAPS, _TAPS + 1, device=lag.device)
    near = (lag[..., None] + reach).abs().clamp(max=difference.shape[-1] - 1)
    taps = difference.gather(1, near.flatten(1)).unflatten(1, near.shape[1:])
    grid = torch.arange(-_STEPS, _STEPS + 1, device=lag.device) / _STEPS
    fine = taps @ _lagrange_kernel(reach, grid).to(difference)
    best = fine[..., 1:-1].argmin(-1, keepdim=True) + 1
    left, middle, right = (fine.gather(-1, best + step)[..., 0] for step in (-1, 0, 1))
    tiny = _tiny(difference)
    shift = (0.5 * (left - right) / (left - 2 * middle + right).clamp(min=tiny)).clamp(-1, 1)
    offset = grid.to(difference)[best[..., 0]] + shift / _STEPS
    return offset, (middle - 0.25 * (left - right) * shift).clamp(min=0)


def _lagrange_kernel(taps: Tensor, grid: Tensor) -> Tensor:
    """Return weights [taps, points] that interpolate at `grid` from samples at the integers `taps`."""
    taps, others = taps.double(), torch.eye(len(taps), dtype=torch.bool, device=taps.device)
    over = (grid.double()[:, None, None] - taps).masked_fill(others, 1.0)
    under = (taps[:, None] - taps).masked_fill(others, 1.0)
    return (over / under).prod(-1).T


def _power_around(segment: Tensor, centres: Tensor, lag: Tensor) -> Tensor:
    """Return the variance over one period of `lag` samples about each centre, [frames, n]."""
    values = torch.nn.functional.pad(segment.double(), (1, 0))
    start = (centres - lag // 2).clamp(min=0)
    stop = (start + lag).clamp(max=segment.shape[-1])
    sums = (series.cumsum(0) for series in (values, values.square()))
    mean, square = ((total[stop] - total[start]) / lag for total in sums)
    return (square - mean.square()).to(segment.dtype)


def track_pitch(
    audio: Tensor,
    rate: float,
    hop: int,
    *,
    floor: float = 50.0,
    ceiling: float = 2000.0,
    threshold: float = 0.55,
    silence: float = -60.0,
) -> PitchTrack:
    """Follow the pitch of one voice.

    `audio` [samples] at `rate` in Hz; frame k is centred on sample k * hop, samples // hop + 1 frames.
    Pitches lie in [`floor`, `ceiling`] Hz, ceiling at most rate / 4. A frame whose aperiodic share of
    power exceeds `threshold` tends to be unvoiced; below `silence` (dB, mean square against 1) it
    always is. A recording with nothing voiced reads the geometric mean of floor and ceiling.

    Candidates are the dips of the difference over its cumulative mean (de Cheveigne and Kawahara, YIN,
    2002, eq. 8), limited by the power; the path through them pays for aperiodic shares, octaves down,
    jumps in pitch and changes of voicing (Boersma, Accurate short-term analysis of the fundamental
    frequency and the harmonics-to-noise ratio of a sampled sound, 1993, section 3).

    Raises `ValueError` when floor, ceiling and rate do not fit.
    """
    yin = YIN(rate=rate, hop=hop, floor=floor, ceiling=ceiling, silence=silence)
    found = yin.candidates(audio)
    f0, aperiodicity = (part.cpu().numpy() for part in found)
    path = cheapest_path(f0, aperiodicity, PathCosts(unvoiced=threshold, frame_rate=rate / hop))
    chosen = torch.from_numpy(path).to(audio.device)
    voiced = chosen >= 0
    index = chosen.clamp(min=0)[:, None]
    share = 1 - found.aperiodicity.gather(1, index)[:, 0]
    return PitchTrack(
        f0=hold(found.f0.gather(1, index)[:, 0], voiced, (floor * ceiling) ** 0.5),
        confidence=torch.where(voiced, share.clamp(torch.finfo(share.dtype).eps, 1), 0),
        voiced=voiced,
    )
