"""Filters that double and halve the sample rate, designed in float64 without torch.

Oversampling by 2^k runs through k stages. Each doubles the rate and filters by a half-band low-pass,
of which every second tap is zero (Crochiere and Rabiner, Multirate Digital Signal Processing, 1983,
section 7.7). On the way down the stage into the base rate is no half-band filter but a sharper
low-pass: a half-band one would fold what lies just above half the base rate back almost unweakened,
and a nonlinearity makes such partials. All are windowed by Kaiser's window (Kaiser, Nonrecursive
digital filter design using the I0-sinh window function, 1974). Stages in a row are one filter at the
highest rate.
"""

from __future__ import annotations

import math
from collections.abc import Sequence
from typing import NamedTuple

# Share of the base rate up to which signals pass: 20 kHz at 48 kHz.
PASSBAND = 5 / 12
_ATTENUATION = 104.0


class Oversampling(NamedTuple):
    """Hold the filters of oversampling by `factor`, as taps at the highest rate.

    `up` follows the insertion of factor - 1 zeros per sample, with a gain of `factor` that makes up for
    them; of the output of `down` every factor-th sample is kept, the last of each group. The passband up
    to `PASSBAND` is flat to 0.001 dB; images (from 1 - `PASSBAND` of the base rate on) and what would
    alias (from half the base rate on) are 100 dB down or more.
    """

    factor: int
    up: tuple[float, ...]
    down: tuple[float, ...]

    def delay(self, *, both: bool = True) -> int:
        """Return the delay of the way down, or of both ways, in samples of the highest rate."""
        down = (len(self.down) - 1) // 2 - (self.factor - 1)
        return down + (len(self.up) - 1) // 2 if both else down


def design_oversampling(factor: int) -> Oversampling:
    """Design the filters of oversampling by `factor`, a power of two from 2 on.

    Raises `ValueError` for any other factor.
    """
    if factor < 2 or factor & (factor - 1):
        raise ValueError(f"oversampling goes by powers of two from 2 on, not {factor}")
    rates = [2 << stage for stage in range(factor.bit_length() - 1)]
    stages = [halfband(0.5 - 2 * PASSBAND / rate) for rate in rates]
    sharp = lowpass(0.5 * (PASSBAND + 0.5) / 2, (0.5 - PASSBAND) / 2)
    up = _cascade(stages, factor)
    return Oversampling(
        factor, tuple(factor * tap for tap in up), tuple(_cascade([sharp, *stages[1:]], factor))
    )


def halfband(width: float) -> list[float]:
    """Design a half-band low-pass of gain 1, -6 dB at a quarter of the rate.

    `width` of the transition is a share of the rate. The taps are symmetric, 4 k + 3 of them; every
    second one is zero but the middle.
    """
    half = (kaiser_length(width) - 1) // 2
    taps = lowpass(0.25, width, half + 1 if half % 2 == 0 else half)
    middle = len(taps) // 2
    return [0.0 if tap != middle and (tap - middle) % 2 == 0 else value for tap, value in enumerate(taps)]


def lowpass(cutoff: float, width: float, half: int | None = None) -> list[float]:
    """Design a low-pass of gain 1 by a Kaiser-windowed sinc, -6 dB at `cutoff`.

    Frequencies are shares of the rate. There are 2 `half` + 1 taps, as many as `width` needs by default.
    """
    half = (kaiser_length(width) - 1) // 2 if half is None else half
    taps = [_sinc(2 * cutoff * n) * _kaiser(n / (half + 1)) for n in range(-half, half + 1)]
    total = sum(taps)
    return [tap / total for tap in taps]


def kaiser_length(width: float) -> int:
    """Return the odd number of taps that a transition of `width` needs (Kaiser 1974, eq. 11)."""
    return 2 * math.ceil((_ATTENUATION - 7.95) / (14.36 * width) / 2) + 1


def kaiser_beta() -> float:
    """Return the shape of the window for the attenuation of all designs (Kaiser 1974, eq. 10)."""
    return 0.1102 * (_ATTENUATION - 8.7)


def _sinc(x: float) -> float:
    return math.sin(math.pi * x) / (math.pi * x) if x else 1.0


def _kaiser(position: float) -> float:
    beta = kaiser_beta()
    return _bessel_i0(beta * math.sqrt(1 - position * position)) / _bessel_i0(beta)


def _bessel_i0(x: float) -> float:
    total = term = 1.0
    order = 0
    while term > 1e-17 * total:
        order += 1
        term *= (x / 2 / order) ** 2
        total += term
    return total


def _cascade(stages: Sequence[Sequence[float]], factor: int) -> list[float]:
    """Join the filters at rates 2, 4, ... `factor` into one at the highest, without ends 120 dB down."""
    joined = [1.0]
    for stage, taps in enumerate(stages):
        spacing = factor >> (stage + 1)
        longer = [0.0] * (len(joined) + spacing * (len(taps) - 1))
        for index, tap in enumerate(taps):
            for place, value in enumerate(joined):
                longer[spacing * index + place] += tap * value
        joined = longer
    heard = [place for place, tap in enumerate(joined) if abs(tap) > 1e-6 * max(joined)]
    return joined[heard[0] : heard[-1] + 1]
