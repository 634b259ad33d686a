"""The module behind `spectral-centroid-error`."""

from __future__ import annotations

import torch
from torch import nn

from fxkit.values import Batch, Output

_TINY = 1e-20


class SpectralCentroidModule(nn.Module):
    """Compare centroids."""

    window: torch.Tensor
    frequencies: torch.Tensor

    def __init__(self, size: int, rate: float, floor: float) -> None:
        super().__init__()
        window = torch.hann_window(size)
        self.register_buffer("window", window, persistent=False)
        self.register_buffer("frequencies", torch.fft.rfftfreq(size, 1 / rate), persistent=False)
        self.floor = 10 ** (floor / 20) * float(window.sum()) / 2

    def forward(self, output: Output, batch: Batch) -> torch.Tensor:
        """Return the mean difference of each item in Hz, [batch]."""
        found, expected = self._magnitudes(output.audio), self._magnitudes(batch.target)
        apart = (self._centroid(found) - self._centroid(expected)).abs()
        power = expected.square().sum(dim=-1)
        return (apart * power).flatten(1).sum(dim=1) / power.flatten(1).sum(dim=1).clamp(min=_TINY)

    def _magnitudes(self, audio: torch.Tensor) -> torch.Tensor:
        size = self.window.shape[0]
        frames = audio.unfold(-1, size, size // 4) * self.window.to(audio)
        magnitudes: torch.Tensor = torch.fft.rfft(frames).abs() + self.floor
        return magnitudes

    def _centroid(self, magnitudes: torch.Tensor) -> torch.Tensor:
        return (magnitudes * self.frequencies.to(magnitudes)).sum(dim=-1) / magnitudes.sum(dim=-1)
