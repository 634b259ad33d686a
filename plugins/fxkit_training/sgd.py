"""The `sgd` optimiser."""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from typing import TYPE_CHECKING, Any

import attrs

from fxkit.spec import opt
from fxkit_training._groups import with_decay

if TYPE_CHECKING:
    import torch


@attrs.frozen(kw_only=True)
class SGD:
    """Update by gradient descent with momentum (Sutskever et al., 2013)."""

    lr: float = opt(1e-2, gt=0, help="learning rate")
    momentum: float = opt(0.9, ge=0, lt=1, help="share of the last update that carries over")
    weight_decay: float = opt(0.0, ge=0, help="shrinking of weight matrices per step, in learning rates")

    def build(self, parameters: Sequence[Mapping[str, Any]]) -> torch.optim.Optimizer:
        """Build the optimiser over parameter groups."""
        import torch

        return torch.optim.SGD(with_decay(parameters, self.weight_decay), lr=self.lr, momentum=self.momentum)
