"""The modules behind `conv-control`."""

from __future__ import annotations

from collections.abc import Sequence
from typing import cast

import torch
from torch import nn

from fxkit.logits import start_logits
from fxkit.parameter import Parameter
from fxkit.values import ControlInputs, State
from fxkit_control._head import start_head
from fxkit_control._levels import completed_levels, pooled_levels, silent_start, with_knobs

# Levels from -100 to 0 dBFS become -1 to 1.
_FLOOR = 1e-5
_DECIBELS = 50.0


class Layer(nn.Module):
    """Convolve with the past, bend by tanh, and add the newest input."""

    def __init__(self, channels: int, kernel: int, dilation: int) -> None:
        super().__init__()
        self.history = (kernel - 1) * dilation
        self.convolution = nn.Conv1d(channels, channels, kernel, dilation=dilation)

    def forward(self, signal: torch.Tensor, past: torch.Tensor) -> tuple[torch.Tensor, torch.Tensor]:
        """Map `signal` [batch, channels, frames], with `past` before it, to the output and the new past."""
        joined = torch.cat((past, signal), dim=-1)
        output = signal + torch.tanh(self.convolution(joined))
        return output, joined[..., joined.shape[-1] - self.history :].clone()

    def settled(self, level: torch.Tensor) -> torch.Tensor:
        """Return the output for an input that has been at `level` [batch, channels, 1] for ever."""
        weight = self.convolution.weight.sum(dim=-1, keepdim=True)
        return level + torch.tanh(nn.functional.conv1d(level, weight, self.convolution.bias))


class ConvControlModule(nn.Module):
    """Emit one frame per completed block of audio, two frames later.

    The state holds the samples of the block that is not complete yet and the past input of each layer.
    """

    def __init__(
        self,
        parameters: Sequence[Parameter],
        knobs: int,
        channels: int,
        kernel: int,
        dilations: Sequence[int],
        hop: int,
    ) -> None:
        super().__init__()
        self.hop = hop
        self.knobs = knobs
        self.entry = nn.Linear(2 + knobs, channels)
        self.layers = nn.ModuleList(Layer(channels, kernel, dilation) for dilation in dilations)
        self.head = start_head(channels, start_logits(parameters))

    def forward(self, inputs: ControlInputs, state: State = None) -> tuple[torch.Tensor, State]:
        """Return the frames due, [batch, values, frames]; of none, when no block has been completed."""
        waiting, pasts = self._silence(inputs) if state is None else state
        levels, waiting = completed_levels(inputs.audio, waiting, self.hop)
        if levels.shape[1] == 0:
            return levels.new_zeros(levels.shape[0], self.head.out_features, 0), (waiting, pasts)
        signal = self._entering(levels, inputs)
        kept = []
        for layer, past in zip(self._chain(), pasts, strict=True):
            signal, past = layer(signal, past)
            kept.append(past)
        return torch.sigmoid(self.head(signal.transpose(1, 2))).transpose(1, 2), (waiting, tuple(kept))

    def _chain(self) -> list[Layer]:
        return cast("list[Layer]", list(self.layers))

    def _entering(self, levels: torch.Tensor, inputs: ControlInputs) -> torch.Tensor:
        decibels = 20 * torch.log10(levels + _FLOOR)
        heard = with_knobs(1 + decibels / _DECIBELS, inputs.knobs if self.knobs else None)
        entering: torch.Tensor = self.entry(heard).transpose(1, 2)
        return entering

    def _silence(self, inputs: ControlInputs) -> tuple[torch.Tensor, tuple[torch.Tensor, ...]]:
        # Biases and knobs make the inner signals of silence constants other than zero.
        silence = inputs.audio.new_zeros(*inputs.audio.shape[:2], self.hop)
        level = self._entering(pooled_levels(silence, self.hop), inputs)
        pasts = []
        for layer in self._chain():
            pasts.append(level.expand(-1, -1, layer.history))
            level = layer.settled(level)
        return silent_start(inputs.audio, self.hop), tuple(pasts)
