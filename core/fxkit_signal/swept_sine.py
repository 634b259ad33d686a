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
from collections.abc import Iterator
from typing import NamedTuple

import torch
from scipy.fft import irfft, next_fast_len, rfft
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


class SweepReader:
    """Read what devices made of a sweep, with all that depends on the sweep alone made once.

    `frequencies` [points] in Hz from 20 Hz on; `samples` is the length of what is read.
    """

    def __init__(self, sweep: SweptSine, frequencies: Tensor, orders: int, samples: int) -> None:
        self.sweep = sweep
        self.points = len(frequencies)
        self.size: int = next_fast_len(max(2 * sweep.samples, samples + sweep.samples), real=True)
        self._own = self._spectrum(sweep_signal(sweep))
        self._inverse = _inverse(sweep, self.size)
        self._kept = _kept(sweep, self.size)
        multiples = [order * frequencies.double() for order in range(1, orders + 1)]
        self._kernels = tuple(
            tuple(_kernels(sweep, all_of_one, order)) for order, all_of_one in enumerate(multiples, start=1)
        )

    def read(self, recorded: Tensor) -> Tensor:
        """Return what `sweep_responses` does of [..., samples]."""
        spectrum = self._spectrum(recorded.double())
        fundamental = self._signal(spectrum / self._own)
        # The sweep's own spectrum is exact up to the Nyquist frequency; harmonics end in other ways.
        rest = spectrum - self._own * self._spectrum(fundamental * self._kept)
        harmonics = self._signal(rest * self._inverse)
        found = [self._transformed(fundamental, self._kernels[0])]
        found += [self._transformed(harmonics, kernels) for kernels in self._kernels[1:]]
        return torch.stack(found, dim=-2)

    # Of these lengths in float64, SciPy's transforms take half of the time of torch's.

    def _spectrum(self, signal: Tensor) -> Tensor:
        return torch.from_numpy(rfft(signal.numpy(), self.size))

    def _signal(self, spectrum: Tensor) -> Tensor:
        return torch.from_numpy(irfft(spectrum.numpy(), self.size, overwrite_x=True))

    def _transformed(self, impulses: Tensor, kernels: tuple[_Kernel, ...]) -> Tensor:
        """Transform the response of one order, at each frequency in a window of its own."""
        shape = (*impulses.shape[:-1], self.points)
        result = torch.full(shape, math.nan, dtype=torch.complex128)
        for kernel in kernels:
            # What comes before the start of the sweep lies at the end of the circle.
            early = impulses[..., self.size + kernel.first : self.size + min(kernel.last, 0)]
            part = torch.cat([early, impulses[..., max(kernel.first, 0) : max(kernel.last, 0)]], dim=-1)
            values = (part @ kernel.exponentials).unflatten(-1, (-1, 2))
            result[..., kernel.points] = torch.view_as_complex(values)
        return result


class _Kernel(NamedTuple):
    """Hold windowed exponentials of some `points` over samples [first, last), as real numbers."""

    points: slice
    first: int
    last: int
    exponentials: Tensor


def sweep_responses(recorded: Tensor, sweep: SweptSine, frequencies: Tensor, orders: int = 5) -> Tensor:
    """Return what a device made of a sweep: its fundamental and harmonics up to `orders`.

    `recorded` [..., samples] starts with the sweep, of amplitude 1 (divide by what it was), and should go on
    for a fifth of a second after it. Entry k of the result, complex128 [..., orders, points], belongs to a
    sine sin(phi) at `frequencies` [points] in Hz from 20 Hz on: its harmonic k + 1 is the imaginary part
    of entry times exp(i (k + 1) phi). It is NaN where the harmonic lies beyond the Nyquist frequency.
    """
    return SweepReader(sweep, frequencies, orders, recorded.shape[-1]).read(recorded)


def _kept(sweep: SweptSine, size: int) -> Tensor:
    """Return the window [size] on an impulse response that holds the fundamental of any frequency.

    Without it, the sudden start of the fundamental does not lie over the harmonics of low frequencies.
    """
    times = torch.arange(size, dtype=torch.float64) / sweep.rate
    times = torch.where(times > size / sweep.rate / 2, times - size / sweep.rate, times)
    before, behind = _window_ends(sweep, torch.ones(1, dtype=torch.float64), 1)
    return _window(times, before, behind)


def _inverse(sweep: SweptSine, size: int) -> Tensor:
    """Return the inverse of an endless sweep's spectrum (Novak, Lotton and Simon, 2015, equation 43)."""
    frequency = torch.arange(size // 2 + 1, dtype=torch.float64) * sweep.rate / size
    turns = sweep.constant * frequency * (1 - (frequency.clamp(min=1e-9) / sweep.start).log())
    gain = 2 * (frequency / sweep.constant).sqrt() / sweep.rate
    return torch.polar(gain, math.pi / 4 - 2 * math.pi * turns)


def _kernels(sweep: SweptSine, multiples: Tensor, order: int) -> Iterator[_Kernel]:
    """Yield what transforms the response of one order at `multiples` [points] of frequencies, in chunks."""
    inside = int((multiples <= sweep.rate / 2 * (1 + 1e-9)).sum())
    for start in range(0, inside, _CHUNK):
        points = slice(start, min(start + _CHUNK, inside))
        yield _kernel(sweep, multiples, points, order)


def _kernel(sweep: SweptSine, multiples: Tensor, points: slice, order: int) -> _Kernel:
    chunk = multiples[points]
    before, behind = _window_ends(sweep, chunk, order)
    lead = sweep.lead(order)
    first = math.ceil((-lead - float(before.max())) * sweep.rate)
    last = math.floor((-lead + float(behind.max())) * sweep.rate) + 1
    times = torch.arange(first, last).double() / sweep.rate + lead
    exponentials = torch.polar(_window(times[:, None], before, behind), -2 * math.pi * chunk * times[:, None])
    return _Kernel(points, first, last, torch.view_as_real(exponentials).flatten(-2))


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
