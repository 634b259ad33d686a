"""The module behind `static`."""

from __future__ import annotations

from collections.abc import Sequence

import torch
from torch import nn

from fxkit.logits import start_logits
from fxkit.parameter import Parameter
from fxkit.values import ControlInputs, State


class StaticModule(nn.Module):
    """Hold one logit per value."""

    def __init__(self, parameters: Sequence[Parameter]) -> None:
        super().__init__()
        self.logits = nn.Parameter(torch.tensor(start_logits(parameters)))

    def forward(self, inputs: ControlInputs, state: State = None) -> tuple[torch.Tensor, State]:
        """Return the constants, [batch, values, 1]."""
        values = torch.sigmoid(self.logits)[None, :, None]
        return values.expand(inputs.audio.shape[0], -1, -1), None
