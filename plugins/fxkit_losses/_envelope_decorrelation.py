"""The module behind `envelope-decorrelation`."""

from __future__ import annotations

import torch
from torch import nn

from fxkit.values import Batch, Output
from fxkit_losses._envelope import short_time_power

_TINY = 1e-12


class EnvelopeDecorrelationModule(nn.Module):
    """Square the correlation of two envelopes."""

    def __init__(self, against: str, window: int, floor: float) -> None:
        super().__init__()
        self.against, self.window, self.floor = against, window, floor

    def forward(self, output: Output, batch: Batch) -> torch.Tensor:
        """Return r^2 of each item, [batch], between 0 and 1."""
        other = batch.target if self.against == "target" else batch.input
        if other is None:
            raise ValueError("the data has no input to compare with")
        one, two = self._deviation(output.audio), self._deviation(other)
        shared = (one * two).mean(dim=1).square()
        return shared / ((one.square().mean(dim=1) + self.floor) * (two.square().mean(dim=1) + self.floor))

    def _deviation(self, audio: torch.Tensor) -> torch.Tensor:
        # The root has no slope at silence.
        envelope = (short_time_power(audio, self.window) + _TINY).sqrt()
        return envelope - envelope.mean(dim=1, keepdim=True)
