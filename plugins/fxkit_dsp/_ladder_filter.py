"""The module of the ladder filter."""

from __future__ import annotations

import math
from collections.abc import Mapping, Sequence

from torch import Tensor, nn

from fxkit_signal.ladder import ladder


class LadderFilterModule(nn.Module):
    """Run audio through a ladder; the state is float64 [batch, channels, 4]."""

    def __init__(self, sample_rate: int, mix: Sequence[float], saturation: bool) -> None:
        super().__init__()
        self.sample_rate = sample_rate
        self.mix = tuple(mix)
        self.saturation = saturation

    def forward(
        self, audio: Tensor, params: Mapping[str, Tensor], state: Tensor | None = None
    ) -> tuple[Tensor, Tensor]:
        """Filter audio [batch, channels, samples]; each parameter is [batch, 1, 1 or samples]."""
        g = (params["frequency"].double() * (math.pi / self.sample_rate)).tan()
        k = 4 * params["resonance"].double()
        mix = g.new_tensor(self.mix)
        if not self.saturation:
            return ladder(audio, g, k, mix, state, saturate=False)
        drive = 10 ** (params["drive_db"] / 20)
        driven, state = ladder(audio * drive, g, k, mix, state, saturate=True)
        return driven / drive, state
