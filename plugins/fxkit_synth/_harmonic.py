"""The module of the harmonic source."""

from __future__ import annotations

from collections.abc import Mapping

import torch
from torch import Tensor, nn

from fxkit_signal.oscillators import HarmonicState, harmonic_bank, nyquist_fade

_LEAST_SUM = 1e-7


class HarmonicModule(nn.Module):
    """Render partials whose shares are scaled to sum to one over those that do not alias."""

    def __init__(self, sample_rate: int, hop: int, channels: int) -> None:
        super().__init__()
        self.sample_rate = sample_rate
        self.hop = hop
        self.channels = channels

    def forward(
        self, audio: Tensor, params: Mapping[str, Tensor], state: HarmonicState | None = None
    ) -> tuple[Tensor, HarmonicState]:
        """Return [batch, channels, samples] for `audio` [batch, 0, samples]; all channels are alike.

        `f0` in Hz and `amplitude` are [batch, 1, frames due], `distribution` [batch, harmonics, frames due].
        """
        f0, distribution = params["f0"], params["distribution"]
        numbers = torch.arange(1, distribution.shape[1] + 1, device=f0.device)[:, None]
        shares = distribution * nyquist_fade(f0 * numbers, self.sample_rate)
        levels = params["amplitude"] * shares / shares.sum(1, keepdim=True).clamp_min(_LEAST_SUM)
        tone, state = harmonic_bank(f0, levels, audio.shape[-1], self.hop, self.sample_rate, state)
        return tone.repeat(1, self.channels, 1), state
