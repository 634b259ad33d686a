"""The module behind `transient-error`."""

from __future__ import annotations

import torch
from torch import nn

from fxkit.values import Batch, Output
from fxkit_signal.ballistics import smoothing_coefficient
from fxkit_signal.one_pole import one_pole


class TransientErrorModule(nn.Module):
    """Weigh errors by attacks of the target."""

    def __init__(self, fast: float, slow: float, floor: float, rate: float) -> None:
        super().__init__()
        self.fast, self.slow, self.floor, self.rate = fast, slow, floor, rate

    def forward(self, output: Output, batch: Batch) -> torch.Tensor:
        """Return the ratio of each item, [batch]."""
        weight = batch.shared.of(
            batch.target, (TransientErrorModule, self.fast, self.slow, self.floor), self.attack
        )
        error = (weight * (output.audio - batch.target).square()).mean(dim=(1, 2))
        return error / ((weight * batch.target.square()).mean(dim=(1, 2)) + self.floor)

    def attack(self, target: torch.Tensor) -> torch.Tensor:
        """Return how much each sample attacks, [batch, 1, samples], between 0 and 1."""
        power = target.detach().square().mean(dim=1, keepdim=True)
        quick, slow = (self._smoothed(power, time) + self.floor for time in (self.fast, self.slow))
        return ((quick - slow) / quick).clamp(min=0)

    def _smoothed(self, power: torch.Tensor, milliseconds: float) -> torch.Tensor:
        time = torch.full((1, 1, 1), milliseconds, dtype=torch.float64, device=power.device)
        return one_pole(power, smoothing_coefficient(time, self.rate))[0]
