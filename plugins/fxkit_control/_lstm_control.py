"""The module behind `lstm-control`."""

from __future__ import annotations

from collections.abc import Sequence

import torch
from torch import nn

from fxkit.logits import start_logits
from fxkit.parameter import Parameter
from fxkit.values import ControlInputs, State
from fxkit_control._head import start_head

# Keeps the square root's slope finite on silence; -120 dBFS.
_POWER_FLOOR = 1e-12


class LSTMControlModule(nn.Module):
    """Emit one frame per completed block of audio, two frames later.

    The state holds the samples of the block that is not complete yet and (h, c) of the LSTM.
    """

    def __init__(
        self, parameters: Sequence[Parameter], knobs: int, hidden: int, layers: int, hop: int
    ) -> None:
        super().__init__()
        self.hop = hop
        self.recurrent = nn.LSTM(2 + knobs, hidden, layers, batch_first=True)
        self.head = start_head(hidden, start_logits(parameters))

    def forward(self, inputs: ControlInputs, state: State = None) -> tuple[torch.Tensor, State]:
        """Return the frames due, [batch, values, frames]; of none, when no block has been completed."""
        pending, memory = (self._silence(inputs.audio), None) if state is None else state
        joined = torch.cat((pending, inputs.audio), dim=-1)
        # The newest block stays pending until a sample after it is seen: frames fall due that way.
        blocks = max(joined.shape[-1] - 1, 0) // self.hop
        levels = pooled_levels(joined[..., : blocks * self.hop], self.hop)
        pending = joined[..., blocks * self.hop :].clone()
        if blocks == 0:
            return levels.new_zeros(levels.shape[0], self.head.out_features, 0), (pending, memory)
        hidden, memory = self.recurrent(self._with_knobs(levels, inputs.knobs), memory)
        return torch.sigmoid(self.head(hidden)).transpose(1, 2), (pending, memory)

    def _silence(self, audio: torch.Tensor) -> torch.Tensor:
        # Two blocks of silence before the start give frames 0 and 1.
        return audio.new_zeros(*audio.shape[:2], 2 * self.hop)

    def _with_knobs(self, levels: torch.Tensor, knobs: torch.Tensor | None) -> torch.Tensor:
        if knobs is None or self.recurrent.input_size == levels.shape[-1]:
            return levels
        return torch.cat((levels, knobs[:, None].expand(-1, levels.shape[1], -1)), dim=-1)


def pooled_levels(audio: torch.Tensor, hop: int) -> torch.Tensor:
    """Return root mean square and largest magnitude, [batch, blocks, 2], of blocks of `hop` samples.

    `audio` is [batch, channels, blocks * hop]; both measures run over all channels.
    """
    batch, channels, samples = audio.shape
    blocks = audio.view(batch, channels, samples // hop, hop).transpose(1, 2).flatten(2)
    power = blocks.square().mean(dim=-1)
    return torch.stack(((power + _POWER_FLOOR).sqrt(), blocks.abs().amax(dim=-1)), dim=-1)
