"""The module behind `envelope`, and short-time power for those that use it."""

from __future__ import annotations

import torch
from torch import nn

from fxkit.values import Batch, Output
from fxkit_signal.weighting import Weighting


class EnvelopeModule(nn.Module):
    """Compare levels in dB."""

    def __init__(self, window: int, floor: float, weighting: Weighting | None) -> None:
        super().__init__()
        self.window, self.floor, self.weighting = window, floor, weighting

    def forward(self, output: Output, batch: Batch) -> torch.Tensor:
        """Return the mean difference of levels of each item in dB, [batch]."""
        return (self._levels(output.audio) - self._levels(batch.target)).abs().mean(dim=1)

    def _levels(self, audio: torch.Tensor) -> torch.Tensor:
        heard = audio if self.weighting is None else self.weighting(audio)[0]
        return 10 * (short_time_power(heard, self.window) + self.floor).log10()


def short_time_power(audio: torch.Tensor, window: int) -> torch.Tensor:
    """Return the power of `audio` [batch, channels, samples] under Hann windows, [batch, frames].

    The mean of the channels, weighted within each window of `window` samples; windows follow each
    other by a quarter, the first centred on the first sample, and outside of the audio is silence.
    """
    hop = max(1, window // 4)
    power = audio.square().mean(dim=1, keepdim=True)
    hann = torch.hann_window(window + 1, periodic=False, dtype=audio.dtype, device=audio.device)
    padded = nn.functional.pad(power, (window // 2, window - window // 2))
    return nn.functional.conv1d(padded, (hann / hann.sum())[None, None], stride=hop)[:, 0]
