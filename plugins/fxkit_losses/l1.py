"""The `l1` loss: mean absolute error of the samples."""

from __future__ import annotations

from typing import TYPE_CHECKING

import attrs

if TYPE_CHECKING:
    import torch

    from fxkit.context import BuildContext
    from fxkit.protocols import Loss
    from fxkit.values import Batch, Output


@attrs.frozen(kw_only=True)
class L1:
    """Average the magnitude of the error over the samples."""

    def build(self, ctx: BuildContext) -> Loss:
        """Build the loss."""
        return mean_absolute_error


def mean_absolute_error(output: Output, batch: Batch) -> torch.Tensor:
    """Return the mean of |output - target| of each item, [batch]."""
    return (output.audio - batch.target).abs().mean(dim=(1, 2))
