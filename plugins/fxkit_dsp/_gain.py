"""The module of the gain processor."""

from __future__ import annotations

from collections.abc import Mapping

from torch import Tensor, nn


class GainModule(nn.Module):
    """Multiply audio by 10^(gain_db / 20)."""

    def forward(self, audio: Tensor, params: Mapping[str, Tensor], state: None = None) -> tuple[Tensor, None]:
        """Scale audio [batch, channels, samples] by `gain_db` [batch, 1, 1 or samples]."""
        return audio * 10 ** (params["gain_db"] / 20), None
