"""The `smooth-l1` loss: square for small errors, magnitude for large ones."""

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
class SmoothL1:
    """Average e^2 / (2 beta) of errors e below beta, and |e| - beta / 2 of larger ones, over the samples.

    Huber, "Robust estimation of a location parameter" (1964), divided by beta, so that large errors count as
    in `l1` whatever beta is. `log-cosh` rounds the corner off.
    """

    beta: float = opt(0.1, gt=0, le=10, help="error at which the square becomes the magnitude")

    def build(self, ctx: BuildContext) -> Loss:
        """Build the loss."""
        return partial(smooth_absolute_error, beta=self.beta)


def smooth_absolute_error(output: Output, batch: Batch, *, beta: float) -> torch.Tensor:
    """Return the mean of each item, [batch]."""
    import torch

    errors = torch.nn.functional.smooth_l1_loss(output.audio, batch.target, reduction="none", beta=beta)
    return errors.mean(dim=(1, 2))
