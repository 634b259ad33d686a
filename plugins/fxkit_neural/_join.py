"""How a condition joins the audio that a network reads."""

from __future__ import annotations

from collections.abc import Mapping

import torch


def join_condition(audio: torch.Tensor, params: Mapping[str, torch.Tensor]) -> torch.Tensor:
    """Append the condition, if there is one, to `audio` [batch, channels, samples] as channels."""
    condition = params.get("condition")
    if condition is None:
        return audio
    return torch.cat((audio, condition.to(audio.dtype).expand(-1, -1, audio.shape[-1])), dim=1)
