"""The modules behind `tcn`."""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from typing import cast

import torch
from torch import nn

from fxkit.values import State
from fxkit_neural._join import join_condition


class Block(nn.Module):
    """Convolve with the past, bend by tanh, and add the input with a gain per channel.

    The residual path is delayed by `delay` samples, as far as the convolution's centre, so that both
    paths meet at the same sample.
    """

    def __init__(
        self, inputs: int, channels: int, kernel: int, dilation: int, delay: int, bias: bool, residual: bool
    ) -> None:
        super().__init__()
        self.history = (kernel - 1) * dilation
        self.delay = delay
        self.convolution = nn.Conv1d(inputs, channels, kernel, dilation=dilation, bias=bias)
        groups = inputs if inputs == channels else 1
        self.residual = nn.Conv1d(inputs, channels, 1, groups=groups, bias=False) if residual else None

    def forward(self, signal: torch.Tensor, past: torch.Tensor) -> tuple[torch.Tensor, torch.Tensor]:
        """Map `signal` [batch, inputs, samples], with `past` before it, to the output and the new past."""
        joined = torch.cat((past, signal), dim=-1)
        output = torch.tanh(self.convolution(joined))
        if self.residual is not None:
            start = self.history - self.delay
            output = output + self.residual(joined[..., start : start + signal.shape[-1]])
        # A copy: a view would keep the whole block alive, and be saved with it.
        return output, joined[..., joined.shape[-1] - self.history :].clone()

    def settled(self, level: torch.Tensor) -> torch.Tensor:
        """Return the output for an input that has been at `level` [batch, inputs, 1] for ever."""
        weight = self.convolution.weight.sum(dim=-1, keepdim=True)
        output = torch.tanh(nn.functional.conv1d(level, weight, self.convolution.bias))
        return output if self.residual is None else output + self.residual(level)


class TCNModule(nn.Module):
    """Run the blocks and mix down; the state holds the past input of each block."""

    def __init__(self, blocks: Sequence[Block], channels: int, outputs: int) -> None:
        super().__init__()
        self.blocks = nn.ModuleList(blocks)
        self.head = nn.Conv1d(channels, outputs, 1)

    def forward(
        self, audio: torch.Tensor, params: Mapping[str, torch.Tensor], state: State = None
    ) -> tuple[torch.Tensor, State]:
        """Map `audio` [batch, channels, samples] to the same shape."""
        signal = join_condition(audio, params)
        pasts = self._silence(audio, params) if state is None else state
        kept = []
        for block, past in zip(self._chain(), pasts, strict=True):
            signal, past = block(signal, past)
            kept.append(past)
        return self.head(signal), tuple(kept)

    def _chain(self) -> list[Block]:
        return cast("list[Block]", list(self.blocks))

    def _silence(self, audio: torch.Tensor, params: Mapping[str, torch.Tensor]) -> tuple[torch.Tensor, ...]:
        # Biases and conditions make the inner signals of silence constants other than zero.
        first = {name: value[..., :1] for name, value in params.items()}
        level = join_condition(audio.new_zeros(*audio.shape[:2], 1), first)
        pasts = []
        for block in self._chain():
            pasts.append(level.expand(-1, -1, block.history))
            level = block.settled(level)
        return tuple(pasts)
