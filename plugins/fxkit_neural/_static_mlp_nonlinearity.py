"""The module behind `static-mlp-nonlinearity`."""

from __future__ import annotations

from collections.abc import Callable, Mapping
from itertools import pairwise
from typing import cast

import torch
from torch import nn

from fxkit.values import State

Curve = Callable[[torch.Tensor], torch.Tensor]

ACTIVATIONS: dict[str, Curve] = {"tanh": torch.tanh, "relu": torch.relu, "sine": torch.sin}
STARTS: dict[str, Curve] = {"identity": torch.clone, "tanh": torch.tanh}


class StaticMLPModule(nn.Module):
    """Compute s(x) + m(x) - m(0) for every sample."""

    def __init__(self, hidden: int, layers: int, activation: str, start: str) -> None:
        super().__init__()
        self.activation = ACTIVATIONS[activation]
        self.start = STARTS[start]
        sizes = (1, *[hidden] * layers)
        stack = [nn.Linear(inputs, outputs) for inputs, outputs in pairwise(sizes)]
        self.hidden = nn.ModuleList(stack)
        self.head = nn.Linear(hidden, 1, bias=False)
        nn.init.uniform_(stack[0].weight, -3.0, 3.0)
        nn.init.uniform_(stack[0].bias, -1.0, 1.0)
        nn.init.zeros_(self.head.weight)

    def forward(
        self, audio: torch.Tensor, params: Mapping[str, torch.Tensor], state: State = None
    ) -> tuple[torch.Tensor, State]:
        """Shape `audio` [batch, channels, samples]; there is no state."""
        curve = self._perceptron(audio.reshape(1, -1)) - self._perceptron(audio.new_zeros(1, 1))
        return self.start(audio) + curve.view_as(audio), None

    def _perceptron(self, row: torch.Tensor) -> torch.Tensor:
        # Units as rows and samples as columns: each activation runs over contiguous samples.
        for layer in cast("list[nn.Linear]", self.hidden):
            row = self.activation(torch.addmm(layer.bias[:, None], layer.weight, row))
        return self.head.weight @ row
