"""An LSTM that follows the level of the audio which a network reads."""

from __future__ import annotations

from collections.abc import Mapping

import torch
from torch import nn

from fxkit.values import State
from fxkit_neural._pooled_lstm import PooledLSTM


def follow_level(
    lstm: PooledLSTM, audio: torch.Tensor, params: Mapping[str, torch.Tensor], state: State
) -> tuple[torch.Tensor, int, State]:
    """Return what `lstm` makes of the magnitude of `audio` [batch, channels, samples] and the condition.

    That is [batch, hidden, blocks that the audio touches], the place in the first where the audio begins,
    and the state.
    """
    condition, level = params.get("condition"), audio.abs()
    as_it_is = nn.Identity()
    if state is None:
        state = lstm.settle(torch.zeros_like(level[..., :1]), condition, as_it_is)
    frames, offset, state = lstm(level, condition, as_it_is, state)
    return frames, offset, state
