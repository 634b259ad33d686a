"""The module behind `film`."""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from itertools import pairwise

import torch
from torch import nn

from fxkit.values import Guide, State
from fxkit_neural._block_modulation import modulate_blocks
from fxkit_signal.memo import Memo


class FiLMModule(nn.Module):
    """Guide all layers by one perceptron; there is no state.

    In a stream, what a condition that stands still leads to is made once.
    """

    def __init__(
        self, widths: Sequence[int], size: int, hidden: int, layers: int, *, around_one: bool
    ) -> None:
        super().__init__()
        self.around_one = around_one
        sizes = (size, *[hidden] * layers)
        # Convolutions of one tap are linear layers that keep time last.
        stack = (layer for pair in pairwise(sizes) for layer in (nn.Conv1d(*pair, 1), nn.ReLU()))
        self.perceptron = nn.Sequential(*stack)
        self.heads = nn.ModuleList(nn.Conv1d(hidden, 2 * width, 1) for width in widths)
        self._kept: list[Memo[torch.Tensor]] = [Memo() for _ in range(1 + len(widths))]

    def enter(
        self, audio: torch.Tensor, params: Mapping[str, torch.Tensor], state: State = None
    ) -> tuple[torch.Tensor, Guide, State]:
        """Return `audio` and the perceptron's output [batch, hidden, 1 | samples]."""
        condition = params["condition"].to(audio.dtype)
        return audio, self._made(self._kept[0], self.perceptron, condition), None

    def settle(self, layer: int, level: torch.Tensor, guide: Guide) -> tuple[torch.Tensor, State]:
        """Return the modulated `level` [batch, width, 1]."""
        return self.modulate(layer, level, guide[..., :1])

    def modulate(
        self, layer: int, signal: torch.Tensor, guide: Guide, state: State = None
    ) -> tuple[torch.Tensor, State]:
        """Return `signal` [batch, width, samples], scaled and shifted."""
        values = self._made(self._kept[1 + layer], self.heads[layer], guide)
        # A scale for each sample is one for each block of one sample.
        return modulate_blocks(signal, values, 0, 1, around_one=self.around_one), None

    def _made(self, memo: Memo[torch.Tensor], network: nn.Module, guide: torch.Tensor) -> torch.Tensor:
        if guide.shape[-1] > 1:
            made: torch.Tensor = network(guide)
            return made
        return memo(lambda: network(guide), guide, *network.parameters())
