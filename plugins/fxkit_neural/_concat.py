"""The module behind `concat`."""

from __future__ import annotations

from collections.abc import Mapping

import torch
from torch import nn

from fxkit.values import Guide, State


class ConcatModule(nn.Module):
    """Append the condition to what the network reads; the layers stay as they are."""

    def enter(
        self, audio: torch.Tensor, params: Mapping[str, torch.Tensor], state: State = None
    ) -> tuple[torch.Tensor, Guide, State]:
        """Return `audio` [batch, channels, samples] with one channel more for each value."""
        condition = params["condition"].to(audio.dtype).expand(-1, -1, audio.shape[-1])
        return torch.cat((audio, condition), dim=1), None, None

    def settle(self, layer: int, level: torch.Tensor, guide: Guide) -> tuple[torch.Tensor, State]:
        """Return `level`."""
        return level, None

    def modulate(
        self, layer: int, signal: torch.Tensor, guide: Guide, state: State = None
    ) -> tuple[torch.Tensor, State]:
        """Return `signal`."""
        return signal, None
