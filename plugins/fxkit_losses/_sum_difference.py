"""The module behind `sum-difference`."""

from __future__ import annotations

import math
from typing import Any

import attrs
import torch
from torch import nn

from fxkit.adapters import as_module
from fxkit.values import Batch, Output


class SumDifferenceModule(nn.Module):
    """Hand the sum and then the difference of the channels to another loss."""

    def __init__(self, inner: Any, difference: float) -> None:
        super().__init__()
        self.inner = as_module(inner)
        self.difference = difference

    def forward(self, output: Output, batch: Batch) -> torch.Tensor:
        """Return the weighted mean of both values, [batch]."""
        found, wanted = _turned(output.audio), batch.shared.of(batch.target, SumDifferenceModule, _turned)
        apart = [
            self.inner(attrs.evolve(output, audio=a), attrs.evolve(batch, target=t))
            for a, t in zip(found, wanted, strict=True)
        ]
        value: torch.Tensor = (1 - self.difference) * apart[0] + self.difference * apart[1]
        return value


def _turned(audio: torch.Tensor) -> tuple[torch.Tensor, torch.Tensor]:
    left, right = audio[:, :1], audio[:, 1:2]
    return (left + right) / math.sqrt(2), (left - right) / math.sqrt(2)
