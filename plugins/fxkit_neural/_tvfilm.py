"""The module behind `tvfilm`."""

from __future__ import annotations

from collections.abc import Mapping, Sequence

import torch
from torch import nn

from fxkit.values import Guide, State
from fxkit_neural._block_modulation import modulate_blocks
from fxkit_neural._level import follow_level
from fxkit_neural._pooled_lstm import PooledLSTM


class TVFiLMModule(nn.Module):
    """Guide all layers by one LSTM, whose state is the only one."""

    def __init__(self, widths: Sequence[int], lstm: PooledLSTM, hidden: int, *, around_one: bool) -> None:
        super().__init__()
        self.around_one = around_one
        self.lstm = lstm
        self.heads = nn.ModuleList(nn.Conv1d(hidden, 2 * width, 1) for width in widths)

    def enter(
        self, audio: torch.Tensor, params: Mapping[str, torch.Tensor], state: State = None
    ) -> tuple[torch.Tensor, Guide, State]:
        """Return `audio`, the LSTM's output for each block with the place in the first, and its state."""
        frames, offset, state = follow_level(self.lstm, audio, params, state)
        return audio, (frames, offset), state

    def settle(self, layer: int, level: torch.Tensor, guide: Guide) -> tuple[torch.Tensor, State]:
        """Return the modulated `level` [batch, width, 1]."""
        return self.modulate(layer, level, guide)

    def modulate(
        self, layer: int, signal: torch.Tensor, guide: Guide, state: State = None
    ) -> tuple[torch.Tensor, State]:
        """Return `signal` [batch, width, samples], scaled and shifted."""
        frames, offset = guide
        values = self.heads[layer](frames)
        return modulate_blocks(signal, values, offset, self.lstm.block, around_one=self.around_one), None
