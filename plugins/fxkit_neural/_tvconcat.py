"""The module behind `tvconcat`."""

from __future__ import annotations

from collections.abc import Mapping

import torch

from fxkit.values import Guide, State
from fxkit_neural._block_modulation import spread
from fxkit_neural._concat import ConcatModule
from fxkit_neural._level import follow_level
from fxkit_neural._pooled_lstm import PooledLSTM


class TVConcatModule(ConcatModule):
    """Append the LSTM's output to what the network reads; its state is the only one."""

    def __init__(self, lstm: PooledLSTM) -> None:
        super().__init__()
        self.lstm = lstm

    def enter(
        self, audio: torch.Tensor, params: Mapping[str, torch.Tensor], state: State = None
    ) -> tuple[torch.Tensor, Guide, State]:
        """Return `audio` [batch, channels, samples] with one channel more for each unit of the LSTM."""
        frames, offset, state = follow_level(self.lstm, audio, params, state)
        held = spread(frames, offset, audio.shape[-1], self.lstm.block)
        return torch.cat((audio, held), dim=1), None, state
