"""The `muon` optimiser."""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from typing import TYPE_CHECKING, Any

import attrs

from fxkit.spec import opt

if TYPE_CHECKING:
    import torch


@attrs.frozen(kw_only=True)
class Muon:
    """Update matrices by momentum with its singular values made equal, and all other weights by AdamW.

    Jordan et al., "Muon: an optimizer for hidden layers in neural networks" (2024). The updates of matrices
    are scaled to the size of AdamW's (Liu et al., "Muon is scalable for LLM training", 2025, equation 4),
    so that one learning rate serves both.
    """

    lr: float = opt(1e-3, gt=0, help="learning rate")
    momentum: float = opt(0.95, ge=0, lt=1, help="share of the last update of matrices that carries over")
    beta1: float = opt(0.9, ge=0, lt=1, help="decay of the mean of gradients; of all other weights")
    beta2: float = opt(0.999, ge=0, lt=1, help="decay of the mean of squared gradients; of all other weights")
    eps: float = opt(1e-8, gt=0, help="added to the root of the mean square; of all other weights")
    weight_decay: float = opt(0.01, ge=0, help="shrinking of weight matrices per step, in learning rates")

    def build(self, parameters: Sequence[Mapping[str, Any]]) -> torch.optim.Optimizer:
        """Build the optimiser over parameter groups."""
        from fxkit_training._muon import MuonWithAdamW

        return MuonWithAdamW(parameters, self)
