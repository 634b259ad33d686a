"""The `mape` metric: mean absolute percentage error of the samples."""

from __future__ import annotations

from functools import partial
from typing import TYPE_CHECKING

import attrs

from fxkit.spec import opt

if TYPE_CHECKING:
    import torch

    from fxkit.context import BuildContext
    from fxkit.protocols import Loss
    from fxkit.values import Batch, Output


@attrs.frozen(kw_only=True)
class MAPE:
    """Average the magnitude of the error over that of the target, sample by sample.

    Published tables of effect models give it. Samples near zero decide it: prefer `esr`. The default
    floor is that of torchmetrics, with which those tables were made.
    """

    floor: float = opt(1.17e-6, gt=0, le=1, help="least magnitude that a target's sample counts as")

    def build(self, ctx: BuildContext) -> Loss:
        """Build the metric."""
        return partial(percentage_error, floor=self.floor)


def percentage_error(output: Output, batch: Batch, *, floor: float) -> torch.Tensor:
    """Return the mean of |output - target| / max(|target|, floor) of each item, [batch]; 1 is 100 %."""
    return ((output.audio - batch.target).abs() / batch.target.abs().clamp(min=floor)).mean(dim=(1, 2))
