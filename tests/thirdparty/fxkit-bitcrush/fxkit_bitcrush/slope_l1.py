"""The slope-l1 loss: mean absolute error of the waveforms' differences."""

from __future__ import annotations

from typing import TYPE_CHECKING

import attrs

from fxkit import BuildContext, LossTraits, opt

if TYPE_CHECKING:
    from torch import Tensor

    from fxkit import Batch, Output


@attrs.frozen(kw_only=True)
class SlopeL1:
    """Average the magnitude of the error of the slopes, which weighs high frequencies up."""

    order: int = opt(1, ge=1, le=4, help="how many times differences are taken")

    def traits(self, ctx: BuildContext) -> LossTraits:
        """Declare how many samples there must be to have one difference."""
        return LossTraits(least_samples=self.order + 1)

    def build(self, ctx: BuildContext) -> SlopeError:
        """Build the loss."""
        return SlopeError(order=self.order)


@attrs.frozen(kw_only=True)
class SlopeError:
    """Measure the error of the differences of a given order."""

    order: int

    def __call__(self, output: Output, batch: Batch) -> Tensor:
        """Return one value per item, [batch]."""
        error = output.audio - batch.target
        return error.diff(n=self.order, dim=-1).abs().mean(dim=(1, 2))
