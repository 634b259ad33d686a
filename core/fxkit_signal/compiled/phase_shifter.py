"""The compiled phase shifter and its adjoint; one row at a time, all in float64.

The equations stand in `fxkit_signal.phase_shifter`. Both functions write into arrays that are given.
"""

from __future__ import annotations

from typing import Any

import numpy as np

from fxkit_signal.compiled.kernel import kernel

Array = np.ndarray[Any, np.dtype[np.float64]]


@kernel("contract")
def run_shifter(audio: Array, cosine: Array, sine: Array, feedback: Array, stages: Array, out: Array) -> None:
    """Fill `stages` [rows, 1 + samples, stages] and `out` [rows, 1 + samples] behind their states."""
    rows, samples = audio.shape
    count = stages.shape[2]
    for row in range(rows):
        for n in range(samples):
            c, s = cosine[row, n], sine[row, n]
            value = audio[row, n] + feedback[row, n] * out[row, n]
            for stage in range(count):
                held = stages[row, n, stage]
                stages[row, n + 1, stage] = s * value - c * held
                value = c * value + s * held
            out[row, n + 1] = value


@kernel("contract")
def run_shifter_adjoint(
    audio: Array, cosine: Array, sine: Array, feedback: Array, stages: Array, out: Array,
    to_stages: Array, to_out: Array, to_audio: Array, to_cosine: Array, to_sine: Array, to_feedback: Array,
) -> None:  # fmt: skip
    """Turn gradients of the results into those of what was given.

    `to_stages` [rows, stages] enters as the gradient of the last state and leaves as that of the first;
    column 0 of `to_out` becomes the gradient of the state of the output.
    """
    rows, samples = audio.shape
    count = stages.shape[2]
    entering = np.empty(count)
    for row in range(rows):
        for n in range(samples - 1, -1, -1):
            c, s = cosine[row, n], sine[row, n]
            value = audio[row, n] + feedback[row, n] * out[row, n]
            for stage in range(count):
                entering[stage] = value
                value = c * value + s * stages[row, n, stage]
            grad, by_cosine, by_sine = to_out[row, n + 1], 0.0, 0.0
            for stage in range(count - 1, -1, -1):
                held, kept = stages[row, n, stage], to_stages[row, stage]
                by_cosine += grad * entering[stage] - kept * held
                by_sine += grad * held + kept * entering[stage]
                to_stages[row, stage] = s * grad - c * kept
                grad = c * grad + s * kept
            to_audio[row, n], to_cosine[row, n], to_sine[row, n] = grad, by_cosine, by_sine
            to_feedback[row, n] = grad * out[row, n]
            to_out[row, n] += grad * feedback[row, n]
