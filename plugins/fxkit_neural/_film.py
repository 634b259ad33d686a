"""The module behind `film`."""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from itertools import pairwise

import torch
from torch import nn

from fxkit.values import Guide, State
from fxkit_neural._block_modulation import modulate_blocks


class FiLMModule(nn.Module):
    """Guide all layers by one perceptron; there is no state."""

    def __init__(
        self, widths: Sequence[int], size: int, hidden: int, layers: int, *, around_one: bool
    ) -> None:
        super().__init__()
        self.around_one = around_one
        sizes = (size, *[hidden] * layers)
        # Convolutions of one tap are linear layers that keep time last.
        self.perceptron = nn.ModuleList(nn.Conv1d(*pair, 1) for pair in pairwise(sizes))
        self.heads = nn.ModuleList(nn.Conv1d(hidden, 2 * width, 1) for width in widths)

    def enter(
        self, audio: torch.Tensor, params: Mapping[str, torch.Tensor], state: State = None
    ) -> tuple[torch.Tensor, Guide, State]:
        """Return `audio` and the perceptron's output [batch, hidden, 1 | samples]."""
        guide = params["condition"].to(audio.dtype)
        for layer in self.perceptron:
            guide = torch.relu(layer(guide))
        return audio, guide, None

    def settle(self, layer: int, level: torch.Tensor, guide: Guide) -> tuple[torch.Tensor, State]:
        """Return the modulated `level` [batch, width, 1]."""
        return self.modulate(layer, level, guide[..., :1])

    def modulate(
        self, layer: int, signal: torch.Tensor, guide: Guide, state: State = None
    ) -> tuple[torch.Tensor, State]:
        """Return `signal` [batch, width, samples], scaled and shifted."""
        # A scale for each sample is one for each block of one sample.
        return modulate_blocks(signal, self.heads[layer](guide), 0, 1, around_one=self.around_one), None
