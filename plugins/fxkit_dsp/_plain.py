"""The modules of processors that act on each sample alone."""

from __future__ import annotations

from collections.abc import Mapping

from torch import Tensor, nn


class DCOffsetModule(nn.Module):
    """Add a constant to audio."""

    def forward(self, audio: Tensor, params: Mapping[str, Tensor], state: None = None) -> tuple[Tensor, None]:
        """Add `offset` [batch, 1, 1 or samples] to audio [batch, channels, samples]."""
        return audio + params["offset"], None


class PolarityModule(nn.Module):
    """Negate audio."""

    def forward(self, audio: Tensor, params: Mapping[str, Tensor], state: None = None) -> tuple[Tensor, None]:
        """Negate audio [batch, channels, samples]."""
        return -audio, None
