"""The compiled rate change of short blocks: one call instead of six operations."""

from __future__ import annotations

from typing import Any

import numpy as np

from fxkit_signal.compiled.kernel import kernel

Array = np.ndarray[Any, np.dtype[Any]]


@kernel("reassoc", "contract", "nsz")
def run_rate_change(line: Array, audio: Array, matrix: Array, out: Array, following: Array) -> None:
    """Fill `out` [batch, channels, any] and `following`, the past after this block.

    `line` [.., past] is the past and `audio` [.., samples] the block; `matrix` [outputs, past + inputs]
    takes each frame of `inputs` samples, with its past, to its outputs. All of one float type.
    """
    batch, channels, samples = audio.shape
    past, outputs = line.shape[2], matrix.shape[0]
    inputs = matrix.shape[1] - past
    frames = -(-samples // inputs)
    joined = np.zeros(past + frames * inputs, audio.dtype)
    for item in range(batch):
        for channel in range(channels):
            joined[:past] = line[item, channel]
            joined[past : past + samples] = audio[item, channel]
            for frame in range(frames):
                # Slices tell the compiler that no index is negative, so that it can take many at a time.
                heard = joined[frame * inputs : frame * inputs + past + inputs]
                kept = out[item, channel, frame * outputs : (frame + 1) * outputs]
                for place in range(kept.shape[0]):
                    row = matrix[place]
                    total = heard[0] * 0
                    for tap in range(heard.shape[0]):
                        total += row[tap] * heard[tap]
                    kept[place] = total
            following[item, channel] = joined[samples : samples + past]
