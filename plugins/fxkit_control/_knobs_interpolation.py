"""The modules behind `knobs-interpolation`."""

from __future__ import annotations

import math
from collections.abc import Sequence

import torch
from torch import nn

from fxkit.logits import start_logits
from fxkit.parameter import Parameter
from fxkit.values import ControlInputs, State

# Distances below 1e-6 of a knob's way count as none.
_NEAR = 1e-12


class Grid(nn.Module):
    """Weigh the points of a grid, the last knob's changing fastest."""

    def __init__(self, axes: Sequence[Sequence[float]]) -> None:
        super().__init__()
        self.count = math.prod(map(len, axes))
        self.knobs = len(axes)
        for index, points in enumerate(axes):
            self.register_buffer(f"axis{index}", torch.tensor(points), persistent=False)

    def forward(self, knobs: torch.Tensor) -> torch.Tensor:
        """Map knobs [batch, knobs] to weights [batch, points] whose sum is 1."""
        weights = knobs.new_ones(knobs.shape[0], 1)
        for index in range(self.knobs):
            along = hats(knobs[:, index : index + 1], self.get_buffer(f"axis{index}"))
            weights = (weights[:, :, None] * along[:, None]).flatten(1)
        return weights


def hats(values: torch.Tensor, points: torch.Tensor) -> torch.Tensor:
    """Return the weights [batch, points] of linear interpolation at `values` [batch, 1].

    `points` rise. Beyond the ends, the end's point has the whole weight.
    """
    values = values.clamp(points[0], points[-1])
    steps = points.diff()
    ones = torch.ones_like(values)
    rise = torch.cat((ones, (values - points[:-1]) / steps), dim=-1)
    fall = torch.cat(((points[1:] - values) / steps, ones), dim=-1)
    return torch.minimum(rise, fall).clamp(0, 1)


class Scattered(nn.Module):
    """Weigh scattered points by a power of their inverse distance (Shepard 1968, section 2)."""

    def __init__(self, settings: Sequence[Sequence[float]], power: float) -> None:
        super().__init__()
        self.count = len(settings)
        self.power = power
        self.register_buffer("points", torch.tensor(settings), persistent=False)

    def forward(self, knobs: torch.Tensor) -> torch.Tensor:
        """Map knobs [batch, knobs] to weights [batch, points] whose sum is 1."""
        squares = (knobs[:, None] - self.get_buffer("points")).square().sum(-1) + _NEAR
        # In proportion to the nearest, so that no power overflows.
        weights = (squares.amin(-1, keepdim=True) / squares) ** (self.power / 2)
        return weights / weights.sum(-1, keepdim=True)


class KnobsInterpolationModule(nn.Module):
    """Hold one logit per point and value; interpolate the values."""

    def __init__(self, weighting: Grid | Scattered, parameters: Sequence[Parameter]) -> None:
        super().__init__()
        self.weighting = weighting
        self.logits = nn.Parameter(torch.tensor(start_logits(parameters)).repeat(weighting.count, 1))

    def forward(self, inputs: ControlInputs, state: State = None) -> tuple[torch.Tensor, State]:
        """Return the constants, [batch, values, 1]."""
        assert inputs.knobs is not None, "the spec asks for knobs"
        values = self.weighting(inputs.knobs) @ torch.sigmoid(self.logits)
        # Rounding may leave the sum of the weights a little above 1.
        return values.clamp(0, 1)[:, :, None], None
