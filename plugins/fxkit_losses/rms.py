"""The `rms` loss: root mean square of the error."""

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
class RMS:
    """Take the root of the mean squared error, item by item.

    A root has no slope at zero: with f the floor, sqrt(e + f^2) - f is taken of the mean square e,
    which is e's root for errors far above the floor and has a gradient everywhere.
    """

    floor: float = opt(-100.0, unit="dBFS", ge=-200, le=0, help="error below which the root becomes a square")

    def build(self, ctx: BuildContext) -> Loss:
        """Build the loss."""
        return partial(root_mean_square_error, floor=10 ** (self.floor / 20))


def root_mean_square_error(output: Output, batch: Batch, *, floor: float) -> torch.Tensor:
    """Return the rounded root of the mean squared error of each item, [batch]."""
    square = (output.audio - batch.target).square().mean(dim=(1, 2))
    # The same as sqrt(e + f^2) - f, without its loss of digits for small errors.
    return square / ((square + floor**2).sqrt() + floor)
