"""The module behind `knobs-mlp`."""

from __future__ import annotations

from collections.abc import Sequence
from itertools import pairwise

import torch
from torch import nn

from fxkit.logits import start_logits
from fxkit.parameter import Parameter
from fxkit.values import ControlInputs, State
from fxkit_control._head import start_head


class KnobsMLPModule(nn.Module):
    """Map knobs [batch, knobs] to constants."""

    def __init__(self, knobs: int, parameters: Sequence[Parameter], hidden: int, layers: int) -> None:
        super().__init__()
        sizes = (knobs, *[hidden] * layers)
        self.hidden = nn.ModuleList(nn.Linear(inputs, outputs) for inputs, outputs in pairwise(sizes))
        self.head = start_head(hidden, start_logits(parameters))

    def forward(self, inputs: ControlInputs, state: State = None) -> tuple[torch.Tensor, State]:
        """Return the constants, [batch, values, 1]."""
        assert inputs.knobs is not None, "the spec asks for knobs"
        values = inputs.knobs
        for layer in self.hidden:
            values = torch.tanh(layer(values))
        return torch.sigmoid(self.head(values))[:, :, None], None
