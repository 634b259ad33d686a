"""The module behind `knobs`."""

from __future__ import annotations

from collections.abc import Sequence

import torch
from torch import nn

from fxkit.values import ControlInputs, State


class KnobsModule(nn.Module):
    """Emit the knobs of the given places as constants."""

    def __init__(self, places: Sequence[int]) -> None:
        super().__init__()
        self.places = list(places)

    def forward(self, inputs: ControlInputs, state: State = None) -> tuple[torch.Tensor, State]:
        """Return the knobs, [batch, values, 1]; those turned beyond what was recorded stop at its ends."""
        assert inputs.knobs is not None, "the spec asks for knobs"
        return inputs.knobs[:, self.places, None].clamp(0, 1), None
