"""Find how a delay is swept, from what went into a device and what came out, knowing nothing else.

A model of a flanger cannot be learned by gradients from just anywhere: a delay that is off by more than
half a period of what plays, or an oscillator that is off by half a turn at the end of a recording, has
neighbours that are all as wrong. So this looks at all delays of every short frame first, and then at
all sweeps through them, from blurred to sharp and from a short stretch to a long one.
"""

from __future__ import annotations

import math
from typing import NamedTuple

import torch
from torch import Tensor

from fxkit_signal.lfo import Wave, lfo_wave

_FRAME, _HOP = 0.085, 0.0427
_COARSE = 0.5e-3
_SLOWEST, _FASTEST = 0.04, 4.0
_FIRST_STRETCH = 10.0
_CANDIDATES, _TRIES, _ROUNDS = 8, 400, 6
_PHASES = 12
# Seconds of the recording, blur in seconds of delay, and how far to look around.
_LEVELS = (
    (10.0, 5e-4, 1.0), (10.0, 2.5e-4, 0.5), (20.0, 2.5e-4, 0.5), (40.0, 2.5e-4, 0.4),
    (math.inf, 1.6e-4, 0.3), (math.inf, 8e-5, 0.2), (math.inf, 4e-5, 0.1), (math.inf, 2e-5, 0.05),
)  # fmt: skip


class Sweep(NamedTuple):
    """Hold how a wave sweeps a delay.

    delay(n) = shortest + (longest - shortest) (1 + wave(rate n / sample_rate + phase)) / 2

    `shortest` and `longest` in samples, `rate` in Hz, `phase` in cycles; `share`: of what the dry sound
    itself leaves unexplained, the part that the delayed one explains, from 0 to 1, over frames.
    """

    shortest: float
    longest: float
    rate: float
    phase: float
    share: float


def find_sweep(dry: Tensor, wet: Tensor, sample_rate: int, *, longest: float, wave: Wave = "sine") -> Sweep:
    """Find the sweep of a delay that best explains `wet` [samples] by `dry`.

    Delays between 0 and `longest` samples, swept by a `wave` of `fxkit_signal.lfo`, and rates from 0.04
    to 4 Hz are looked at; wide sweeps of more than 2 Hz move too fast for the frames of 85 ms. Recordings
    should hold several turns and sound most of the time. Deterministic. Raises `ValueError` when there is
    less than a second.
    """
    if dry.shape[-1] < sample_rate:
        raise ValueError(f"a sweep needs at least a second of sound, got {dry.shape[-1]} samples")
    frame, hop = round(_FRAME * sample_rate), round(_HOP * sample_rate)
    map_ = explained_shares(dry.double(), wet.double(), frame, hop, math.ceil(longest))
    times = (math.ceil(longest) + frame / 2 + hop * torch.arange(map_.shape[0])) / sample_rate
    found = _coarse(map_, times, sample_rate, wave)
    draw = torch.Generator().manual_seed(0)
    for stretch, blur, width in _LEVELS:
        part = times <= times[0] + stretch
        blurred = _blurred(map_[part], round(blur * sample_rate))
        found = _refined(found, blurred, times[part], width, 5e-4 * sample_rate, draw, wave)
    share, rate, low, high, phase = found[0].tolist()
    return Sweep(low, high, rate, phase - round(phase), share)


def explained_shares(dry: Tensor, wet: Tensor, frame: int, hop: int, longest: int) -> Tensor:
    """Return how much each delay from 0 to `longest` samples explains of each frame, [frames, delays].

    Of what is left of `wet` [samples] by the best multiple of `dry`, the share that the best multiple of
    `dry` some samples earlier takes away. Frames start at sample `longest`; silent ones hold zeros.
    """
    starts = range(0, dry.shape[-1] - longest - frame + 1, hop)
    return torch.cat(
        [_shares(dry, wet, starts[at : at + 64], frame, longest) for at in range(0, len(starts), 64)]
    )


def _shares(dry: Tensor, wet: Tensor, starts: range, frame: int, longest: int) -> Tensor:
    first, last = starts[0], starts[-1] + frame + longest
    past = dry[first:last].unfold(0, frame + longest, max(starts.step, 1))
    now, target = past[:, longest:], wet[first + longest : last].unfold(0, frame, max(starts.step, 1))
    points = 1 << (frame + longest - 1).bit_length()
    spectrum = torch.fft.rfft(past, points)
    with_wet, with_dry = (
        torch.fft.irfft(spectrum * torch.fft.rfft(one, points).conj(), points)[:, : longest + 1].flip(1)
        for one in (target, now)
    )
    sums = torch.nn.functional.pad(past.square().cumsum(1), (1, 0))
    powers = (sums[:, frame:] - sums[:, : longest + 1]).flip(1)
    floor = 1e-9 * frame + 1e-4 * with_dry[:, :1]
    whole = target.square().sum(1, keepdim=True)
    left = whole - with_wet[:, :1].square() / (with_dry[:, :1] + floor)
    taken = (with_wet - with_wet[:, :1] * with_dry / (with_dry[:, :1] + floor)).square()
    # A hundredth of the power keeps delays from winning that are almost the dry sound itself.
    own = (powers - with_dry.square() / (with_dry[:, :1] + floor)).clamp_min(0) + 0.01 * powers + floor
    shares = (taken / own / (left + 1e-9 * frame)).clamp(0, 1)
    return torch.where(whole > 1e-6 * frame, shares, 0.0).float()


def _coarse(map_: Tensor, times: Tensor, sample_rate: int, wave: Wave) -> Tensor:
    """Try all rates, ends and phases on a grid; return the best, one per rate, [candidates, 5]."""
    step = round(_COARSE * sample_rate)
    part = times <= times[0] + _FIRST_STRETCH
    grid = _blurred(map_[part], step)[:, ::step]
    # Ends that lie between two places are met well enough by the blur.
    places = torch.arange(0, grid.shape[1], 2, dtype=torch.float32)
    low, high, phase = torch.meshgrid(places, places, torch.arange(_PHASES) / _PHASES, indexing="ij")
    low, high, phase = (axis[low < high] for axis in (low, high, phase))
    stretch = float(times[part][-1] - times[0])
    rates = torch.arange(_SLOWEST, _FASTEST, 0.25 / max(stretch, 1.0))
    rows = []
    for rate in rates:
        share, best = _scores(grid, times[part], wave, rate.expand_as(low), low, high, phase).max(0)
        rows.append(torch.stack([share, rate, low[best] * step, high[best] * step, phase[best]]))
    return _best(torch.stack(rows), _CANDIDATES)


def _refined(
    found: Tensor, map_: Tensor, times: Tensor, width: float, reach: float, draw: torch.Generator, wave: Wave
) -> Tensor:
    """Look around each candidate at random, ever closer; keep the better half."""
    stretch = float(times[-1] - times[0])
    middle = float(times[-1] + times[0]) / 2
    scale = torch.tensor([0.25 / max(stretch, 1.0), reach, reach, 0.08])
    rows = []
    for row in found:
        point, share = row[1:], row[0]
        for turn in range(_ROUNDS):
            steps = torch.randn(_TRIES, 4, generator=draw) * scale * width * 0.8**turn
            steps[0] = 0
            # A rate that changes keeps the phase in the middle of the stretch.
            steps[:, 3] -= steps[:, 0] * middle
            tries = point + steps
            shares = _scores(map_, times, wave, tries[:, 0].clamp_min(1e-3), *tries[:, 1:].T)
            share, best = shares.max(0)
            point = tries[best]
        rows.append(torch.cat([share[None], point]))
    return _best(torch.stack(rows), max(1, len(rows) // 2))


def _best(rows: Tensor, count: int) -> Tensor:
    return rows[rows[:, 0].argsort(descending=True)[:count]]


def _scores(
    map_: Tensor, times: Tensor, wave: Wave, rate: Tensor, low: Tensor, high: Tensor, phase: Tensor
) -> Tensor:
    """Return the mean of the map along each of several sweeps, whose ends are in columns of the map."""
    turns = rate[:, None] * times + phase[:, None]
    delay = low[:, None] + (high - low)[:, None] * (0.5 + 0.5 * lfo_wave(turns, wave))
    column = delay.round().long().clamp(0, map_.shape[1] - 1)
    return map_[torch.arange(map_.shape[0]), column].mean(1)


def _blurred(map_: Tensor, width: int) -> Tensor:
    window = torch.hann_window(2 * width + 1, periodic=False)
    if width < 1:
        return map_
    kernel = (window / window.sum())[None, None]
    return torch.nn.functional.conv1d(map_[:, None], kernel, padding=width)[:, 0]
