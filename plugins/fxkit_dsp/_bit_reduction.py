"""The module of the bit reduction."""

from __future__ import annotations

from collections.abc import Mapping

from torch import Tensor, nn

from fxkit_signal.reduction import quantise


class BitReductionModule(nn.Module):
    """Quantise audio to `bits` [batch, 1, 1 or samples]."""

    def __init__(self, rise: bool) -> None:
        super().__init__()
        self.rise = rise

    def forward(self, audio: Tensor, params: Mapping[str, Tensor], state: None = None) -> tuple[Tensor, None]:
        """Quantise audio [batch, channels, samples]; there is no state."""
        return quantise(audio, params["bits"], self.rise), None
