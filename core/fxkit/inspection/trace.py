"""What one path through a model does to a faint impulse and to swept sines."""

from __future__ import annotations

import math

import attrs
import numpy as np
import numpy.typing as npt
import torch

from fxkit_signal.dtft import Transform

Array = npt.NDArray[np.float64]

LEAST = 1e-10
# A response whose energy beyond the usual taps is below this part of the whole is cut there.
FAINT = 1e-6


@attrs.frozen(kw_only=True, eq=False)
class SmallSignal:
    """Hold the response to an impulse of -60 dBFS, over the frequencies of a `Response`.

    Impulses of both signs are subtracted, so that bias and even harmonics cancel. `magnitude_db`; `phase` in
    radians, unwrapped; `group_delay` in seconds; `impulse` [taps] is the response to an impulse of 1.
    """

    impulse: Array
    magnitude_db: Array
    phase: Array
    group_delay: Array


@attrs.frozen(kw_only=True, eq=False)
class Swept:
    """Hold the response to a swept sine at `level` dBFS, over the frequencies of a `Response`.

    `magnitude_db` is the level of the fundamental over that of the sine. `harmonics_db`
    [orders 2 to 5, frequencies] is that of each harmonic of a sine at that frequency; NaN where the
    harmonic lies beyond the Nyquist frequency.
    """

    level: float
    magnitude_db: Array
    harmonics_db: Array

    @property
    def distortion(self) -> Array:
        """Return the total harmonic distortion, of harmonics 2 to 5 over the fundamental, as a ratio."""
        powers = np.nansum(10 ** (self.harmonics_db / 10), axis=0)
        ratio: Array = np.sqrt(powers / 10 ** (self.magnitude_db / 10))
        return ratio


@attrs.frozen(kw_only=True, eq=False)
class Trace:
    """Hold both measurements of one path through the model; of nodes, only the sweep at the highest level."""

    small: SmallSignal
    swept: tuple[Swept, ...]


def read_small(
    impulses: torch.Tensor, transform: Transform, frequencies: Array, rate: float, taps: int
) -> list[SmallSignal]:
    """Return what responses [paths, samples] to an impulse of 1 say, cut to `taps` where they are over."""
    over = impulses[:, taps:].square().sum(-1) <= FAINT * impulses.square().sum(-1)
    # What is too faint to matter would only add rounding errors.
    kept = impulses.clone()
    kept[over, taps:] = 0
    spectra, delays = transform.with_delay(kept)
    rows = zip(kept, over, decibels(spectra), spectra.angle().numpy(), delays.numpy() / rate, strict=True)
    return [
        SmallSignal(
            impulse=(impulse[:taps] if short else impulse).numpy(),
            magnitude_db=magnitude,
            phase=_unwrapped(phase, delay, frequencies),
            group_delay=delay,
        )
        for impulse, short, magnitude, phase, delay in rows
    ]


def read_swept(level: float, response: torch.Tensor) -> Swept:
    """Return what the fundamental and harmonics [orders, points] of a sweep at `level` dBFS say."""
    values = decibels(response)
    return Swept(level=level, magnitude_db=values[0], harmonics_db=values[1:])


def decibels(response: torch.Tensor) -> Array:
    """Return magnitudes in dB, at least -200."""
    values: Array = 20 * np.log10(np.maximum(response.abs().numpy(), LEAST))
    return values


def _unwrapped(phase: Array, delay: Array, frequencies: Array) -> Array:
    """Unwrap a phase, the turns between its points told by the group delay in seconds."""
    expected = -2 * math.pi * np.diff(frequencies) * (delay[1:] + delay[:-1]) / 2
    steps = np.diff(phase)
    steps += 2 * math.pi * np.round((expected - steps) / (2 * math.pi))
    return np.concatenate([phase[:1], phase[0] + np.cumsum(steps)])
