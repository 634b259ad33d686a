"""The modules of filters whose taps are weights."""

from __future__ import annotations

from collections.abc import Mapping

import torch
from torch import Tensor, nn

from fxkit_signal.convolution import convolve


def impulse(taps: int, channels: int) -> Tensor:
    """Return the identity [channels, taps]."""
    return torch.nn.functional.pad(torch.ones(channels, 1), (0, taps - 1))


class FIRModule(nn.Module):
    """Convolve with `taps` [channels or 1, length]; the state is the audio before, as far as they reach."""

    taps: Tensor

    def __init__(self, taps: Tensor, learn: bool = True) -> None:
        super().__init__()
        self.register_parameter("taps", nn.Parameter(taps)) if learn else self.register_buffer("taps", taps)

    def forward(
        self, audio: Tensor, params: Mapping[str, Tensor], state: Tensor | None = None
    ) -> tuple[Tensor, Tensor]:
        """Filter audio [batch, channels, samples]."""
        return convolve(audio, self.taps[None], state)


class DecayingFIRModule(nn.Module):
    """Convolve with weights under an envelope, and add the input where `dry`.

    `weights` [channels or 1, length] times `envelope` [length] are the taps; the state is that of
    `FIRModule`.
    """

    envelope: Tensor

    def __init__(self, weights: Tensor, envelope: Tensor, dry: bool) -> None:
        super().__init__()
        self.weights = nn.Parameter(weights)
        self.register_buffer("envelope", envelope, persistent=False)
        self.dry = dry

    def forward(
        self, audio: Tensor, params: Mapping[str, Tensor], state: Tensor | None = None
    ) -> tuple[Tensor, Tensor]:
        """Filter audio [batch, channels, samples]."""
        wet, following = convolve(audio, (self.weights * self.envelope)[None], state)
        return (audio + wet if self.dry else wet), following
