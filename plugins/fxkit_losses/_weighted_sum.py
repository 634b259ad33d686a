"""The module behind `weighted-sum`."""

from __future__ import annotations

from collections.abc import Sequence
from typing import Any

import torch
from torch import nn

from fxkit.adapters import as_module, parts_of
from fxkit.values import Batch, Output


class WeightedSumModule(nn.Module):
    """Add the values of several losses up."""

    def __init__(self, names: Sequence[str], terms: Sequence[Any], weights: Sequence[float]) -> None:
        super().__init__()
        self.terms = nn.ModuleList(as_module(term) for term in terms)
        self.names, self.weights = tuple(names), tuple(weights)

    def forward(self, output: Output, batch: Batch) -> torch.Tensor:
        """Return the weighted sum, [batch]; a term of weight 0 is not computed."""
        parts = self.parts(output, batch).values()
        return torch.stack([weight * value for weight, value in parts]).sum(dim=0)

    def parts(self, output: Output, batch: Batch) -> dict[str, tuple[float, torch.Tensor]]:
        """Return name -> weight and value [batch] of each term; a term that is a sum gives its own."""
        found: dict[str, tuple[float, torch.Tensor]] = {}
        for name, term, weight in zip(self.names, self.terms, self.weights, strict=True):
            for inner, share, value in parts_of(term, output, batch) if weight else ():
                found[f"{name}.{inner}" if inner else name] = (weight * share, value)
        return found
