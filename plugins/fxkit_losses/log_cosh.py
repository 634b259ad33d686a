"""The `log-cosh` loss: square for small errors, magnitude for large ones."""

from __future__ import annotations

import math
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
class LogCosh:
    """Average log(cosh(a e)) / a over the errors e of the samples (Chen et al., 2019).

    Errors far below 1 / a count by their square, those far above by their magnitude.
    """

    sharpness: float = opt(
        1.0, gt=0, le=1e6, help="a: errors around 1 / a are where square becomes magnitude"
    )

    def build(self, ctx: BuildContext) -> Loss:
        """Build the loss."""
        return partial(log_cosh_error, sharpness=self.sharpness)


def log_cosh_error(output: Output, batch: Batch, *, sharpness: float) -> torch.Tensor:
    """Return the mean of log(cosh(sharpness * error)) / sharpness of each item, [batch]."""
    import torch

    size = sharpness * (output.audio - batch.target).abs()
    # cosh itself overflows long before its logarithm does; for small errors the sum would lose all digits.
    far = size + torch.log1p(torch.exp(-2 * size)) - math.log(2)
    near = size.square() / 2 * (1 - size.square() / 6)
    return torch.where(size < 1e-2, near, far).mean(dim=(1, 2)) / sharpness
