"""The module of the rate reduction."""

from __future__ import annotations

from collections.abc import Mapping

from torch import Tensor, nn

from fxkit_signal.reduction import HoldState, hold_at_rate, start_holds


class RateReductionModule(nn.Module):
    """Sample and hold at `rate` [batch, 1, 1 or samples] in Hz."""

    def __init__(self, sample_rate: int) -> None:
        super().__init__()
        self.sample_rate = sample_rate

    def forward(
        self, audio: Tensor, params: Mapping[str, Tensor], state: HoldState | None = None
    ) -> tuple[Tensor, HoldState]:
        """Hold audio [batch, channels, samples]; the state keeps phase and held value."""
        return hold_at_rate(audio, params["rate"] / self.sample_rate, state)

    def state_at(self, starts: Tensor) -> HoldState:
        """Return the state after silence until the samples `starts`, int64 [batch] on the CPU."""
        return start_holds(starts)
