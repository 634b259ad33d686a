"""The module behind `frames`."""

from __future__ import annotations

from collections.abc import Sequence

import torch
from torch import nn

from fxkit.values import ControlInputs, State


class FramesModule(nn.Module):
    """Hold rows of values at rising times and emit them on the frame clock.

    The state holds the sample at which each item of the batch starts and the number of frames emitted.
    """

    def __init__(
        self, times: Sequence[int], values: Sequence[Sequence[float]], hop: int, *, hold: bool
    ) -> None:
        super().__init__()
        self.hop = hop
        self.hold = hold
        self.register_buffer("times", torch.tensor(times))
        self.register_buffer("values", torch.tensor(values, dtype=torch.float64).float())

    def forward(self, inputs: ControlInputs, state: State = None) -> tuple[torch.Tensor, State]:
        """Return the frames due, [batch, values, frames]."""
        state = (
            self.state_at(torch.zeros(inputs.audio.shape[0], dtype=torch.int64)) if state is None else state
        )
        frames = state["emitted"] + torch.arange(inputs.frames)
        moments = (state["starts"][:, None] + self.hop * frames).to(inputs.audio.device)
        after = {"starts": state["starts"], "emitted": state["emitted"] + inputs.frames}
        return self._at(moments).transpose(1, 2), after

    def state_at(self, starts: torch.Tensor) -> State:
        """Return the state at the sample `starts`, int64 [batch], of each recording."""
        return {"starts": starts, "emitted": torch.zeros((), dtype=torch.int64)}

    def _at(self, moments: torch.Tensor) -> torch.Tensor:
        times, values = self.get_buffer("times"), self.get_buffer("values")
        following = torch.searchsorted(times, moments, right=True)
        before, after = (following - 1).clamp(min=0), following.clamp(max=len(times) - 1)
        if self.hold:
            return values[before]
        gone, span = moments - times[before], times[after] - times[before]
        share = (gone.to(values.dtype) / span.clamp(min=1)).clamp(0, 1)
        return torch.lerp(values[before], values[after], share[..., None])
