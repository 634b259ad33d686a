"""The compiled feedback delay network and its adjoint; one item at a time, all in float64.

The equations stand in `fxkit_signal.feedback_delay_network`. Samples are taken in chunks no longer than
the shortest line, so that all sums run along time. Both functions write into arrays that are given.
"""

from __future__ import annotations

from typing import Any

import numpy as np

from fxkit_signal.compiled.kernel import kernel

Array = np.ndarray[Any, np.dtype[np.float64]]
Whole = np.ndarray[Any, np.dtype[np.int64]]
# Short enough for a chunk of all lines to stay in the nearest cache.
_LONGEST_CHUNK = 256


@kernel("reassoc", "contract", "nsz")
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
                direct, first = high[item, line], past - delays[line]
                # Slices tell the compiler that no index is negative, so that it can take many at a time.
                read = lines[item, line, first + start : first + stop]
                low_pass, out = filtered[item, line, start : stop + 1], heard[item, line, start:stop]
                smooth = low_pass[0]
                for n in range(read.shape[0]):
                    smooth = read[n] + share * (smooth - read[n])
                    low_pass[n + 1] = smooth
                    out[n] = direct * read[n] + loss * smooth
            for line in range(count):
                entered = lines[item, line, past + start : past + stop]
                for other in range(count):
                    weight, out = mixing[line, other], heard[item, other, start:stop]
                    for n in range(out.shape[0]):
                        entered[n] += weight * out[n]


@kernel("reassoc", "contract", "nsz")
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
                gradient = to_lines[item, line, past + start : past + stop]
                for other in range(count):
                    weight, total = mixing[line, other], 0.0
                    out, to_out = heard[item, other, start:stop], to_heard[item, other, start:stop]
                    for n in range(out.shape[0]):
                        total += gradient[n] * out[n]
                        to_out[n] += weight * gradient[n]
                    to_mixing[line, other] += total
            for line in range(count):
                share, loss = pole[item, line], low[item, line] - high[item, line]
                direct, first = high[item, line], past - delays[line]
                read = lines[item, line, first + start : first + stop]
                to_read = to_lines[item, line, first + start : first + stop]
                low_pass, to_out = filtered[item, line, start : stop + 1], to_heard[item, line, start:stop]
                to_low_pass = to_filtered[item, line, start : stop + 1]
                lows = highs = poles = 0.0
                for back in range(read.shape[0]):
                    n = read.shape[0] - 1 - back
                    lows += to_out[n] * low_pass[n + 1]
                    highs += to_out[n] * (read[n] - low_pass[n + 1])
                    carried = to_low_pass[n + 1] + loss * to_out[n]
                    poles += carried * (low_pass[n] - read[n])
                    to_low_pass[n] += share * carried
                    to_read[n] += direct * to_out[n] + (1 - share) * carried
                to_low[item, line] += lows
                to_high[item, line] += highs
                to_pole[item, line] += poles
