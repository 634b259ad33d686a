"""The module behind `lstm`."""

from __future__ import annotations

from collections.abc import Mapping

import torch
from torch import nn

from fxkit.values import State
from fxkit_neural._join import join_condition


class LSTMModule(nn.Module):
    """Run LSTM and linear layer over the samples; the state is (h, c) of torch's LSTM."""

    def __init__(self, channels: int, hidden: int, layers: int, conditions: int, skip: bool) -> None:
        super().__init__()
        self.skip = skip
        self.recurrent = nn.LSTM(channels + conditions, hidden, layers, batch_first=True)
        self.head = nn.Linear(hidden, channels)

    def forward(
        self, audio: torch.Tensor, params: Mapping[str, torch.Tensor], state: State = None
    ) -> tuple[torch.Tensor, State]:
        """Map `audio` [batch, channels, samples] to the same shape."""
        sequence = join_condition(audio, params).transpose(1, 2)
        hidden, state = self.recurrent(sequence, state)
        output = self.head(hidden).transpose(1, 2)
        return (audio + output if self.skip else output), state
