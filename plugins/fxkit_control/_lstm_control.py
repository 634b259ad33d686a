"""The module behind `lstm-control`."""

from __future__ import annotations

from collections.abc import Sequence

import torch
from torch import nn

from fxkit.logits import start_logits
from fxkit.parameter import Parameter
from fxkit.values import ControlInputs, State
from fxkit_control._head import start_head
from fxkit_control._levels import completed_levels, silent_start, with_knobs


class LSTMControlModule(nn.Module):
    """Emit one frame per completed block of audio, two frames later.

    The state holds the samples of the block that is not complete yet and (h, c) of the LSTM.
    """

    def __init__(
        self, parameters: Sequence[Parameter], knobs: int, hidden: int, layers: int, hop: int
    ) -> None:
        super().__init__()
        self.hop = hop
        self.knobs = knobs
        self.recurrent = nn.LSTM(2 + knobs, hidden, layers, batch_first=True)
        self.head = start_head(hidden, start_logits(parameters))

    def forward(self, inputs: ControlInputs, state: State = None) -> tuple[torch.Tensor, State]:
        """Return the frames due, [batch, values, frames]; of none, when no block has been completed."""
        waiting, memory = (silent_start(inputs.audio, self.hop), None) if state is None else state
        levels, waiting = completed_levels(inputs.audio, waiting, self.hop)
        if levels.shape[1] == 0:
            return levels.new_zeros(levels.shape[0], self.head.out_features, 0), (waiting, memory)
        heard = with_knobs(levels, inputs.knobs if self.knobs else None)
        hidden, memory = self.recurrent(heard, memory)
        return torch.sigmoid(self.head(hidden)).transpose(1, 2), (waiting, memory)
