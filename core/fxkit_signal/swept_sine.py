"""Measure the linear and harmonic responses of a device at once, with a synchronised swept sine.

A sine whose frequency rises exponentially is turned into an impulse by its inverse filter; what a device
adds at k times the frequency becomes an impulse response of its own, ln(k) time constants earlier (Farina,
"Simultaneous measurement of impulse response and distortion with a swept-sine technique", 2000). Where the
harmonics of the sweep are the sweep itself, moved, their phases come out right, too (Novak, Lotton and Simon,
"Synchronized swept-sine: theory, application and implementation", 2015).

What cannot be told apart: in a sampled device, harmonics beyond the Nyquist frequency come back as aliases
that sweep down. The windows around the responses, shorter for higher frequencies, keep out most of them; but
the alias of harmonic m meets harmonic k where the sine is at rate / (m + k), and even a steady sine could
not tell them apart there.
"""

from __future__ import annotations

import math
from typing import NamedTuple

import torch
from scipy.fft import next_fast_len
from torch import Tensor

# Hz at which sweeps start: so far below 20 Hz that their beginning does not show there.
_START = 8.0
# Periods of a frequency that its window holds behind the start of the response, and before.
_PERIODS, _PERIODS_BEFORE = 30.0, 10.0
# The shortest window in seconds, likewise, and the longest of the fundamental.
_SHORTEST, _SHORTEST_BEFORE = 0.005, 0.002
_LONGEST = 0.2
_CHUNK = 12


class SweptSine(NamedTuple):
    """Hold a sweep from `start` Hz to half of `rate`, whose frequency grows e times every `constant` seconds.

    x(t) = sin(2 pi start constant exp(t / constant)), which starts at a zero of all its harmonics.
    """

    rate: float
    start: float
    constant: float
    samples: int

    def lead(self, order: int) -> float:
        """Return by how many seconds the response of a harmonic comes before that of the fundamental."""
        return self.constant * math.log(order)


def swept_sine(rate: float, seconds: float) -> SweptSine:
    """Plan a sweep of about `seconds` at `rate` Hz (Novak, Lotton and Simon, 2015, equations 47 to 49).

    Raises `ValueError` where that is too short for a sweep: below about a quarter of a second.
    """
    octaves = math.log(rate / 2 / _START)
    half_turns = round(2 * _START * seconds / octaves)
    if half_turns < 1:
        raise ValueError(f"a sweep of {seconds:g} s is too short; give it {octaves / _START / 2:.2f} s")
    constant = half_turns / (2 * _START)
    return SweptSine(rate=rate, start=_START, constant=constant, samples=int(constant * octaves * rate))


def sweep_signal(sweep: SweptSine) -> Tensor:
    """Return the sweep with amplitude 1, float64 [samples]."""
    times = torch.arange(sweep.samples, dtype=torch.float64) / sweep.rate
    return (2 * math.pi * sweep.start * sweep.constant * (times / sweep.constant).exp()).sin()


def sweep_responses(recorded: Tensor, sweep: SweptSine, frequencies: Tensor, orders: int = 5) -> Tensor:
    """Return what a device made of a sweep: its fundamental and harmonics up to `orders`.

    `recorded` [..., samples] starts with the sweep, of amplitude 1 (divide by what it was), and should go on
    for a fifth of a second after it. Entry k of the result, complex128 [..., orders, points], belongs to a
    sine sin(phi) at `frequencies` [points] in Hz from 20 Hz on: its harmonic k + 1 is the imaginary part
    of entry times exp(i (k + 1) phi). It is NaN where the harmonic lies beyond the Nyquist frequency.
    """
    size = next_fast_len(max(2 * sweep.samples, recorded.shape[-1] + sweep.samples), real=True)
    spectrum = torch.fft.rfft(recorded.double(), size)
    own = torch.fft.rfft(sweep_signal(sweep), size)
    # The sweep's own spectrum is exact up to the Nyquist frequency; harmonics end in other ways than it does.
    fundamental = torch.fft.irfft(spectrum / own, size)
    rest = spectrum - own * torch.fft.rfft(_kept(fundamental, sweep), size)
    harmonics = torch.fft.irfft(rest * _inverse(sweep, size), size)
    found = [_windowed(fundamental, sweep, frequencies, 1)]
    found += [_windowed(harmonics, sweep, frequencies, order) for order in range(2, orders + 1)]
    return torch.stack(found, dim=-2)


def _kept(fundamental: Tensor, sweep: SweptSine) -> Tensor:
    """Return what of an impulse response belongs to the fundamental at any frequency.

    Without it, the sudden start of the fundamental does not lie over the harmonics of low frequencies.
    """
    size = fundamental.shape[-1]
    times = torch.arange(size, dtype=torch.float64) / sweep.rate
    times = torch.where(times > size / sweep.rate / 2, times - size / sweep.rate, times)
    before, behind = _window_ends(sweep, torch.ones(1, dtype=torch.float64), 1)
    return fundamental * _window(times, before, behind)


def _inverse(sweep: SweptSine, size: int) -> Tensor:
    """Return the inverse of an endless sweep's spectrum (Novak, Lotton and Simon, 2015, equation 43)."""
    frequency = torch.arange(size // 2 + 1, dtype=torch.float64) * sweep.rate / size
    turns = sweep.constant * frequency * (1 - (frequency.clamp(min=1e-9) / sweep.start).log())
    gain = 2 * (frequency / sweep.constant).sqrt() / sweep.rate
    return torch.polar(gain, math.pi / 4 - 2 * math.pi * turns)


def _windowed(impulses: Tensor, sweep: SweptSine, frequencies: Tensor, order: int) -> Tensor:
    """Transform the response of one order at multiples of `frequencies`, each in a window of its own."""
    result = torch.full((*impulses.shape[:-1], len(frequencies)), math.nan, dtype=torch.complex128)
    multiples = order * frequencies.double()
    inside = int((multiples <= sweep.rate / 2 * (1 + 1e-9)).sum())
    for start in range(0, inside, _CHUNK):
        chunk = multiples[start : min(start + _CHUNK, inside)]
        result[..., start : start + len(chunk)] = _transform(impulses, sweep, chunk, order)
    return result


def _transform(impulses: Tensor, sweep: SweptSine, chunk: Tensor, order: int) -> Tensor:
    before, behind = _window_ends(sweep, chunk, order)
    lead = sweep.lead(order)
    first = math.ceil((-lead - float(before.max())) * sweep.rate)
    last = math.floor((-lead + float(behind.max())) * sweep.rate)
    index = torch.arange(first, last + 1)
    times = index.double() / sweep.rate + lead
    window = _window(times[:, None], before, behind)
    kernel = torch.polar(window, -2 * math.pi * chunk * times[:, None])
    return impulses[..., index % impulses.shape[-1]].to(torch.complex128) @ kernel


def _window_ends(sweep: SweptSine, frequency: Tensor, order: int) -> tuple[Tensor, Tensor]:
    """Return how many seconds before and behind the start of a response its window reaches."""
    room_before = (sweep.lead(order + 1) - sweep.lead(order)) / 3
    room = _LONGEST if order == 1 else (sweep.lead(order) - sweep.lead(order - 1)) * 0.8
    before = (_PERIODS_BEFORE / frequency).clamp(_SHORTEST_BEFORE, max(room_before, _SHORTEST_BEFORE))
    return before, (_PERIODS / frequency).clamp(_SHORTEST, max(room, _SHORTEST))


def _window(times: Tensor, before: Tensor, behind: Tensor) -> Tensor:
    """Return a window that is 1 from half of `before` to 60 % of `behind`, with edges of half a cosine."""
    rise = ((times + before) / (0.5 * before)).clamp(0, 1)
    fall = ((behind - times) / (0.4 * behind)).clamp(0, 1)
    return (0.5 - 0.5 * (math.pi * rise).cos()) * (0.5 - 0.5 * (math.pi * fall).cos())
