"""The module behind `filtered`."""

from __future__ import annotations

from collections.abc import Hashable, Mapping
from typing import Any

import attrs
import torch
from torch import nn

from fxkit.adapters import as_module
from fxkit.values import Batch, Output
from fxkit_signal.weighting import Weighting


class FilteredModule(nn.Module):
    """Filter output and target, and hand them to another loss."""

    def __init__(self, inner: Any, weighting: Weighting, key: Hashable) -> None:
        super().__init__()
        self.inner = as_module(inner)
        self.weighting = weighting
        self.key = key

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
        # All losses behind one filter get the same target, whose spectra they then share too.
        target = batch.shared.of(batch.target, (FilteredModule, self.key), self._filtered)
        return attrs.evolve(output, audio=self._filtered(output.audio)), attrs.evolve(batch, target=target)

    def _filtered(self, audio: torch.Tensor) -> torch.Tensor:
        return self.weighting(audio)[0]
