"""The `radam` optimiser."""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from typing import TYPE_CHECKING, Any

import attrs

from fxkit.spec import opt
from fxkit_training._groups import with_decay

if TYPE_CHECKING:
    import torch


@attrs.frozen(kw_only=True)
class RAdam:
    """Update by Adam that holds back while its averages are young (Liu et al., 2020)."""

    lr: float = opt(1e-3, gt=0, help="learning rate")
    beta1: float = opt(0.9, ge=0, lt=1, help="decay of the mean of gradients")
    beta2: float = opt(0.999, ge=0, lt=1, help="decay of the mean of squared gradients")
    eps: float = opt(1e-8, gt=0, help="added to the root of the mean square")
    weight_decay: float = opt(0.0, ge=0, help="shrinking of weight matrices per step, in learning rates")

    def build(self, parameters: Sequence[Mapping[str, Any]]) -> torch.optim.Optimizer:
        """Build the optimiser over parameter groups."""
        import torch

        groups = with_decay(parameters, self.weight_decay)
        return torch.optim.RAdam(
            groups, lr=self.lr, betas=(self.beta1, self.beta2), eps=self.eps, decoupled_weight_decay=True
        )
