"""The compiled convolution of short blocks with long responses: no copies, one pass over the taps."""

from __future__ import annotations

from typing import Any

import numpy as np

from fxkit_signal.compiled.kernel import kernel

Array = np.ndarray[Any, np.dtype[Any]]
# Sums over so many taps are added up among themselves first, which keeps their digits.
_GROUP = 128


@kernel("reassoc", "contract", "nsz")
def run_convolution(joined: Array, taps: Array, out: Array) -> None:
    """Fill `out` [batch, channels, samples] from `joined` [batch, channels, past + samples] and taps.

    `taps` [batch or 1, channels or 1, past + 1]; all of one float type.
    """
    batch, channels, _ = out.shape
    for item in range(batch):
        for channel in range(channels):
            own = taps[item % taps.shape[0], channel % taps.shape[1]]
            _convolve_row(joined[item, channel], own, out[item, channel])


@kernel("reassoc", "contract", "nsz")
def _convolve_row(line: Array, taps: Array, out: Array) -> None:
    length, samples = taps.shape[0], out.shape[0]
    group = np.zeros_like(out)
    out[:] = 0
    for first in range(0, length, _GROUP):
        group[:] = 0
        last = min(first + _GROUP, length)
        paired = first + (last - first) // 8 * 8
        for tap in range(first, paired, 8):
            # Slices tell the compiler that no index is negative, so that it can take many at a time.
            h, at = taps[tap : tap + 8], length - 8 - tap
            a, b, c, d = h[7], h[6], h[5], h[4]
            e, f, g, k = h[3], h[2], h[1], h[0]
            la, lb, lc, ld = line[at:], line[at + 1 :], line[at + 2 :], line[at + 3 :]
            le, lf, lg, lk = line[at + 4 :], line[at + 5 :], line[at + 6 :], line[at + 7 :]
            for n in range(samples):
                older = (a * la[n] + b * lb[n]) + (c * lc[n] + d * ld[n])
                group[n] += older + ((e * le[n] + f * lf[n]) + (g * lg[n] + k * lk[n]))
        for tap in range(paired, last):
            weight, heard = taps[tap], line[length - 1 - tap :]
            for n in range(samples):
                group[n] += weight * heard[n]
        for n in range(samples):
            out[n] += group[n]
