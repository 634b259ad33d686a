"""The `adagrad` optimiser."""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from typing import TYPE_CHECKING, Any

import attrs

from fxkit.spec import opt
from fxkit_training._groups import with_decay

if TYPE_CHECKING:
    import torch


@attrs.frozen(kw_only=True)
class Adagrad:
    """Update by the gradient over the root of the sum of its squares (Duchi, Hazan and Singer, 2011).

    `weight_decay` is added to the gradient.
    """

    lr: float = opt(1e-2, gt=0, help="learning rate")
    eps: float = opt(1e-10, gt=0, help="added to the root of the sum")
    weight_decay: float = opt(0.0, ge=0, help="shrinking of weight matrices per step, in learning rates")

    def build(self, parameters: Sequence[Mapping[str, Any]]) -> torch.optim.Optimizer:
        """Build the optimiser over parameter groups."""
        import torch

        groups = with_decay(parameters, self.weight_decay)
        return torch.optim.Adagrad(groups, lr=self.lr, eps=self.eps)
