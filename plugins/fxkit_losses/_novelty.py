"""The module behind `novelty`."""

from __future__ import annotations

import torch
from torch import nn

from fxkit.values import Batch, Output
from fxkit_losses._multi_resolution_stft import check_length
from fxkit_losses._resolution import Resolution

# Below this variance, in squared nepers, a spectrogram stands still.
_STILL = 1e-6


class NoveltyModule(nn.Module):
    """Square the correlation of two spectrograms."""

    def __init__(self, against: str, resolution: Resolution) -> None:
        super().__init__()
        self.against = against
        self.resolution = resolution

    def forward(self, output: Output, batch: Batch) -> torch.Tensor:
        """Return the squared correlation of each item, [batch], between 0 and 1."""
        check_length("novelty", output.audio.shape[-1], self.resolution.size)
        other = batch.target if self.against == "target" else batch.input
        if other is None:
            raise ValueError("the data has no input to compare with")
        key = (NoveltyModule, self.resolution.key, self.resolution.bands_key)
        one = self._moving(output.audio)
        two = batch.shared.of(other, key, lambda audio: self._moving(audio.detach()))
        spread = (part.square().mean(dim=1) + _STILL for part in (one, two))
        return (one * two).mean(dim=1).square() / torch.stack(tuple(spread)).prod(dim=0)

    def _moving(self, audio: torch.Tensor) -> torch.Tensor:
        """Return the log-mel spectrogram of the mean of the channels less its mean over time, flat."""
        mono = audio.mean(dim=1, keepdim=True)
        power = self.resolution.power(self.resolution(mono)).clamp(min=self.resolution.floor)
        bands = self.resolution.banded(power.sqrt())[:, 0].log()
        return (bands - bands.mean(dim=1, keepdim=True)).flatten(1)
