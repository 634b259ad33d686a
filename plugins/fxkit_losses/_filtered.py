"""The module behind `filtered`."""

from __future__ import annotations

from collections.abc import Mapping
from typing import Any

import attrs
import torch
from torch import nn

from fxkit.adapters import as_module
from fxkit.values import Batch, Output
from fxkit_signal.weighting import Weighting


class FilteredModule(nn.Module):
    """Filter output and target, and hand them to another loss."""

    def __init__(self, inner: Any, weighting: Weighting) -> None:
        super().__init__()
        self.inner = as_module(inner)
        self.weighting = weighting

    def forward(self, output: Output, batch: Batch) -> torch.Tensor:
        """Return what the inner loss makes of the filtered signals, [batch]."""
        value: torch.Tensor = self.inner(*self._heard(output, batch))
        return value

    def parts(self, output: Output, batch: Batch) -> Mapping[str, tuple[float, torch.Tensor]]:
        """Return the parts of an inner loss that is a sum; nothing for any other."""
        tell: Any = getattr(self.inner, "parts", None)
        found: Mapping[str, tuple[float, torch.Tensor]] = tell(*self._heard(output, batch)) if tell else {}
        return found

    def _heard(self, output: Output, batch: Batch) -> tuple[Output, Batch]:
        heard = attrs.evolve(output, audio=self.weighting(output.audio)[0])
        return heard, attrs.evolve(batch, target=self.weighting(batch.target)[0])
