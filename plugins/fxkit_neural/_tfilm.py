"""The module behind `tfilm` and `ttfilm`."""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from typing import cast

import torch
from torch import nn

from fxkit.values import Guide, State
from fxkit_neural._block_modulation import modulate_blocks
from fxkit_neural._pooled_lstm import PooledLSTM


class TFiLMModule(nn.Module):
    """Scale and shift each layer by an LSTM of its own; each layer's state is that LSTM's.

    `squeezes` lead from a layer's maxima to what its LSTM reads, `heads` from what it gives to scales
    and shifts; without them it reads and gives these as they are.
    """

    def __init__(
        self,
        widths: Sequence[int],
        lstms: Sequence[PooledLSTM],
        squeezes: Sequence[nn.Module] = (),
        heads: Sequence[nn.Module] = (),
        *,
        around_one: bool,
    ) -> None:
        super().__init__()
        self.around_one = around_one
        self.widths = tuple(widths)
        self.lstms = nn.ModuleList(lstms)
        self.squeezes = nn.ModuleList(squeezes or [nn.Identity() for _ in widths])
        self.heads = nn.ModuleList(heads or [nn.Identity() for _ in widths])

    def enter(
        self, audio: torch.Tensor, params: Mapping[str, torch.Tensor], state: State = None
    ) -> tuple[torch.Tensor, Guide, State]:
        """Return `audio`; the layers are guided by the condition, where there is one."""
        return audio, params.get("condition"), None

    def settle(self, layer: int, level: torch.Tensor, guide: Guide) -> tuple[torch.Tensor, State]:
        """Return the modulated `level` [batch, width, 1] and the LSTM's state after silence."""
        state = self._lstm(layer).settle(level, guide, self.squeezes[layer])
        return self._modulated(layer, level, state["held"], 0), state

    def modulate(
        self, layer: int, signal: torch.Tensor, guide: Guide, state: State = None
    ) -> tuple[torch.Tensor, State]:
        """Return `signal` [batch, width, samples], scaled and shifted."""
        lstm = self._lstm(layer)
        if state is None:
            zero = signal.new_zeros(*signal.shape[:2], 1)
            state = lstm.settle(zero, guide, self.squeezes[layer])
        frames, offset, state = lstm(signal, guide, self.squeezes[layer], state)
        return self._modulated(layer, signal, frames, offset), state

    def _lstm(self, layer: int) -> PooledLSTM:
        return cast(PooledLSTM, self.lstms[layer])

    def _modulated(self, layer: int, signal: torch.Tensor, frames: torch.Tensor, offset: int) -> torch.Tensor:
        values = self.heads[layer](frames)
        return modulate_blocks(signal, values, offset, self._lstm(layer).block, around_one=self.around_one)
