"""The compiled feedback delay network and its adjoint; one item at a time, all in float64.

The equations stand in `fxkit_signal.feedback_delay_network`. Samples are taken in chunks no longer than
the shortest line, so that all sums run along time. Both functions write into arrays that are given.
"""

from __future__ import annotations

from typing import Any

import numpy as np
from numba import njit

# Sums may be reordered; infinities and NaN keep their meaning.
_KERNEL: dict[str, Any] = {
    "cache": True,
    "nogil": True,
    "error_model": "numpy",
    "fastmath": {"reassoc", "contract", "nsz"},
}
Array = np.ndarray[Any, np.dtype[np.float64]]
Whole = np.ndarray[Any, np.dtype[np.int64]]
# Short enough for a chunk of all lines to stay in the nearest cache.
_LONGEST_CHUNK = 256


@njit(**_KERNEL)  # type: ignore[untyped-decorator]
def run_network(
    delays: Whole, mixing: Array, low: Array, high: Array, pole: Array,
    lines: Array, filtered: Array, heard: Array,
) -> None:  # fmt: skip
    """Fill `lines` [batch, lines, past + samples], `filtered` [.., 1 + samples] and `heard` [.., samples].

    `lines` enters with the past and then the drive; column 0 of `filtered` is its state.
    """
    batch, count, samples = heard.shape
    past, chunk = lines.shape[2] - samples, min(delays.min(), _LONGEST_CHUNK)
    for item in range(batch):
        for start in range(0, samples, chunk):
            stop = min(start + chunk, samples)
            for line in range(count):
                share, loss = pole[item, line], low[item, line] - high[item, line]
                smooth, first = filtered[item, line, start], past - delays[line]
                for n in range(start, stop):
                    read = lines[item, line, first + n]
                    smooth = read + share * (smooth - read)
                    filtered[item, line, n + 1] = smooth
                    heard[item, line, n] = high[item, line] * read + loss * smooth
            for line in range(count):
                for other in range(count):
                    weight = mixing[line, other]
                    for n in range(start, stop):
                        lines[item, line, past + n] += weight * heard[item, other, n]


@njit(**_KERNEL)  # type: ignore[untyped-decorator]
def run_network_adjoint(
    delays: Whole, mixing: Array, low: Array, high: Array, pole: Array,
    lines: Array, filtered: Array, heard: Array,
    to_lines: Array, to_filtered: Array, to_heard: Array,
    to_mixing: Array, to_low: Array, to_high: Array, to_pole: Array,
) -> None:  # fmt: skip
    """Turn the gradients of what `run_network` filled into those of what it was given.

    `to_lines`, `to_filtered` and `to_heard` enter as gradients of the results; those of the drive and the
    past come out in `to_lines`, that of the state in column 0 of `to_filtered`. The others enter as zeros.
    """
    batch, count, samples = heard.shape
    past, chunk = lines.shape[2] - samples, min(delays.min(), _LONGEST_CHUNK)
    chunks = -(-samples // chunk)
    for item in range(batch):
        for start in range((chunks - 1) * chunk, -1, -chunk):
            stop = min(start + chunk, samples)
            for line in range(count):
                for other in range(count):
                    weight, total = mixing[line, other], 0.0
                    for n in range(start, stop):
                        gradient = to_lines[item, line, past + n]
                        total += gradient * heard[item, other, n]
                        to_heard[item, other, n] += weight * gradient
                    to_mixing[line, other] += total
            for line in range(count):
                share, loss = pole[item, line], low[item, line] - high[item, line]
                direct, first = high[item, line], past - delays[line]
                for n in range(stop - 1, start - 1, -1):
                    gradient, read = to_heard[item, line, n], lines[item, line, first + n]
                    smooth = filtered[item, line, n + 1]
                    to_low[item, line] += gradient * smooth
                    to_high[item, line] += gradient * (read - smooth)
                    carried = to_filtered[item, line, n + 1] + loss * gradient
                    to_pole[item, line] += carried * (filtered[item, line, n] - read)
                    to_filtered[item, line, n] += share * carried
                    to_lines[item, line, first + n] += direct * gradient + (1 - share) * carried
