"""The module behind `siren`."""

from __future__ import annotations

import math
from collections.abc import Mapping
from itertools import pairwise
from typing import cast

import torch
from torch import nn

from fxkit.values import State
from fxkit_neural._static_mlp_nonlinearity import STARTS


class SirenModule(nn.Module):
    """Compute s(x) + m(x) - m(0) for every sample, with m of sines."""

    def __init__(self, hidden: int, layers: int, frequency: float, start: str) -> None:
        super().__init__()
        self.frequency = frequency
        self.start = STARTS[start]
        stack = [nn.Linear(inputs, outputs) for inputs, outputs in pairwise((1, *[hidden] * layers))]
        self.hidden = nn.ModuleList(stack)
        self.head = nn.Linear(hidden, 1, bias=False)
        for layer in stack[1:]:
            bound = math.sqrt(6 / hidden) / frequency
            nn.init.uniform_(layer.weight, -bound, bound)
        nn.init.zeros_(self.head.weight)

    def forward(
        self, audio: torch.Tensor, params: Mapping[str, torch.Tensor], state: State = None
    ) -> tuple[torch.Tensor, State]:
        """Shape `audio` [batch, channels, samples]; there is no state."""
        curve = self._sines(audio.reshape(1, -1)) - self._sines(audio.new_zeros(1, 1))
        return self.start(audio) + curve.view_as(audio), None

    def _sines(self, row: torch.Tensor) -> torch.Tensor:
        # Units as rows and samples as columns: each sine runs over contiguous samples.
        for layer in cast("list[nn.Linear]", self.hidden):
            row = torch.sin(self.frequency * torch.addmm(layer.bias[:, None], layer.weight, row))
        return self.head.weight @ row
