"""The module behind `weighted-sum`."""

from __future__ import annotations

from collections.abc import Sequence
from typing import Any

import torch
from torch import nn

from fxkit.adapters import as_module
from fxkit.values import Batch, Output


class WeightedSumModule(nn.Module):
    """Add the values of several losses up."""

    def __init__(self, terms: Sequence[Any], weights: Sequence[float]) -> None:
        super().__init__()
        self.terms = nn.ModuleList(as_module(term) for term in terms)
        self.weights = tuple(weights)

    def forward(self, output: Output, batch: Batch) -> torch.Tensor:
        """Return the weighted sum, [batch]; a term of weight 0 is not computed."""
        parts = zip(self.terms, self.weights, strict=True)
        return torch.stack([weight * term(output, batch) for term, weight in parts if weight]).sum(dim=0)
