"""The `l2` loss: mean squared error of the samples."""

from __future__ import annotations

from typing import TYPE_CHECKING

import attrs

if TYPE_CHECKING:
    import torch

    from fxkit.context import BuildContext
    from fxkit.protocols import Loss
    from fxkit.values import Batch, Output


@attrs.frozen(kw_only=True)
class L2:
    """Average the square of the error over the samples."""

    def build(self, ctx: BuildContext) -> Loss:
        """Build the loss."""
        return mean_squared_error


def mean_squared_error(output: Output, batch: Batch) -> torch.Tensor:
    """Return the mean of (output - target)^2 of each item, [batch]."""
    return (output.audio - batch.target).square().mean(dim=(1, 2))
