"""The module behind the losses that compare spectra."""

from __future__ import annotations

from collections.abc import Sequence
from typing import cast

import torch
from torch import nn

from fxkit.errors import AssemblyError
from fxkit.values import Batch, Output
from fxkit_losses._resolution import Resolution
from fxkit_losses._spectral_distance import Terms, spectral_distance


class MultiResolutionModule(nn.Module):
    """Average the distance of spectra over the resolutions, item by item."""

    def __init__(self, name: str, resolutions: Sequence[Resolution], terms: Terms) -> None:
        super().__init__()
        self.name = name
        self.terms = terms
        self.resolutions = nn.ModuleList(resolutions)

    def forward(self, output: Output, batch: Batch) -> torch.Tensor:
        """Return the distance of each item, [batch]; raises `AssemblyError` for too short segments."""
        check_length(self.name, output.audio.shape[-1], max(one.size for one in self._resolutions()))
        distances = [spectral_distance(output, batch, one, self.terms) for one in self._resolutions()]
        return torch.stack(distances).mean(dim=0)

    def _resolutions(self) -> list[Resolution]:
        return cast("list[Resolution]", list(self.resolutions))


def check_length(name: str, samples: int, longest: int) -> None:
    """Raise `AssemblyError` when a signal is shorter than the longest FFT."""
    if samples < longest:
        raise AssemblyError(
            name,
            f"{samples} samples are fewer than the FFT size {longest}; "
            f"raise data.segment to {longest} or more, or use shorter FFTs",
        )
