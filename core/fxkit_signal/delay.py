"""An integer delay line."""

from __future__ import annotations

import torch
from torch import Tensor


def delay(audio: Tensor, samples: int, state: Tensor | None = None) -> tuple[Tensor, Tensor]:
    """Delay audio by a whole number of samples.

    `audio` [..., time]; `state` [..., samples] holds the samples still inside the line, None means
    silence. Returns audio of the same length and the next state.

    Raises `ValueError` when `samples` is negative.
    """
    if samples < 0:
        raise ValueError(f"a delay line cannot run backwards: {samples} samples")
    line = audio.new_zeros((*audio.shape[:-1], samples)) if state is None else state
    joined = torch.cat([line, audio], dim=-1)
    return joined[..., : audio.shape[-1]], joined[..., audio.shape[-1] :]
