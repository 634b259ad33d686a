"""The module of the bitcrush processor."""

from __future__ import annotations

from collections.abc import Mapping

import torch
from torch import Tensor, nn

State = Mapping[str, Tensor]


class BitcrushModule(nn.Module):
    """Hold every `hold`-th sample, then round to steps of 2^(1 - bits)."""

    def __init__(self, hold: int) -> None:
        super().__init__()
        self.hold = hold

    def forward(
        self, audio: Tensor, params: Mapping[str, Tensor], state: State | None = None
    ) -> tuple[Tensor, State]:
        """Crush audio [batch, channels, samples] with `bits` [batch, 1, 1 or samples].

        The state holds the position since the start, so that holds do not move with the blocks.
        """
        if state is None:
            state = {
                "position": torch.zeros((), dtype=torch.int64),
                "held": audio.new_zeros(*audio.shape[:2], 1),
            }
        held = self._held(audio, state)
        levels = 2 ** (params["bits"] - 1)
        after = {"position": state["position"] + audio.shape[-1], "held": held[..., -1:]}
        return straight_through_round(held[..., 1:] * levels) / levels, after

    def _held(self, audio: Tensor, state: State) -> Tensor:
        """Return the value that the state held, and after it those of this block."""
        start = int(state["position"])
        positions = torch.arange(start, start + audio.shape[-1], device=audio.device)
        anchors = (positions - positions % self.hold - start + 1).clamp(min=0)
        known = torch.cat((state["held"].to(audio), audio), dim=-1)
        return torch.cat((known[..., :1], known[..., anchors]), dim=-1)


def straight_through_round(values: Tensor) -> Tensor:
    """Round; the gradient is that of the identity."""
    return values + (values.round() - values).detach()
