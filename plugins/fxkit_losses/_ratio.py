"""Ratios of powers in decibels."""

from __future__ import annotations

from typing import TYPE_CHECKING

if TYPE_CHECKING:
    import torch


def power(audio: torch.Tensor) -> torch.Tensor:
    """Return the mean power of each item, [batch], of `audio` [batch, channels, samples]."""
    return audio.square().mean(dim=(1, 2))


def turned_decibels(signal: torch.Tensor, noise: torch.Tensor, floor: float) -> torch.Tensor:
    """Return -10 log10 of signal over noise, both powers, with `floor` added to each."""
    return 10 * ((noise + floor).log10() - (signal + floor).log10())
