"""The protocols of what steers a training: optimisers, learning-rate schedules and ramps of weights.

`fxkit.protocols` has them, too, beside those of every other kind.
"""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from typing import TYPE_CHECKING, Any, Protocol

from fxkit.context import BuildContext

if TYPE_CHECKING:
    import torch


class OptimizerSpec(Protocol):
    """Describe and build an optimiser."""

    def build(self, parameters: Sequence[Mapping[str, Any]]) -> torch.optim.Optimizer:
        """Build the optimiser over parameter groups, each with its own `lr` where it differs."""


class ScheduleSpec(Protocol):
    """Describe and build a learning-rate schedule."""

    def build(self, optimizer: torch.optim.Optimizer, steps: int | None) -> Any:
        """Build what moves the learning rates of the optimiser's groups: a `Schedule`, or torch's own.

        A torch LR scheduler is stepped once per training step. `steps` is how many there will be; None
        where time alone limits them.
        """


class Schedule(Protocol):
    """Move learning rates with the run, however its length is given.

    A schedule may also have `observe(cost: float)`: it is then told what each validation has found, by the
    metric that `train.best` names. Less is better; of a metric of which more is better it is the negative.
    """

    def advance(self, share: float) -> None:
        """Move on by a step, behind which `share` of the run, 0 to 1, is over."""

    def state_dict(self) -> dict[str, Any]:
        """Return where it stands, as tensors and plain values."""

    def load_state_dict(self, state: Mapping[str, Any]) -> None:
        """Go on from `state_dict`."""


class RampSpec(Protocol):
    """Describe and build a ramp."""

    def build(self, ctx: BuildContext) -> Ramp:
        """Build what moves the weight; without torch."""


class Ramp(Protocol):
    """Move the weight of a loss over the training.

    `final` is the weight in the end. It is what the loss weighs in validations from the start on, so that
    totals of different steps can be compared.
    """

    @property
    def final(self) -> float:
        """Return the weight in the end."""

    def weight(self, step: int, share: float) -> float:
        """Return the weight in step `step` (from 0), before which `share` of the training, 0 to 1, was over.

        It depends on these two alone, so that a run that was interrupted goes on as it would have. The
        ramps in [losses] follow the whole training, those of a [[phase]] that phase.
        """
