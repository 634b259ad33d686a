"""The `rmsprop` optimiser."""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from typing import TYPE_CHECKING, Any

import attrs

from fxkit.spec import opt
from fxkit_training._groups import with_decay

if TYPE_CHECKING:
    import torch


@attrs.frozen(kw_only=True)
class RMSprop:
    """Update by the gradient over the root of its mean square (Tieleman and Hinton, 2012).

    `weight_decay` is added to the gradient.
    """

    lr: float = opt(1e-3, gt=0, help="learning rate")
    decay: float = opt(0.99, ge=0, lt=1, help="decay of the mean of squared gradients")
    momentum: float = opt(0.0, ge=0, lt=1, help="share of the last update that carries over")
    eps: float = opt(1e-8, gt=0, help="added to the root of the mean square")
    weight_decay: float = opt(0.0, ge=0, help="shrinking of weight matrices per step, in learning rates")

    def build(self, parameters: Sequence[Mapping[str, Any]]) -> torch.optim.Optimizer:
        """Build the optimiser over parameter groups."""
        import torch

        groups = with_decay(parameters, self.weight_decay)
        return torch.optim.RMSprop(groups, lr=self.lr, alpha=self.decay, momentum=self.momentum, eps=self.eps)
