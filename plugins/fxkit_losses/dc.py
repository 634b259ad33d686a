"""The `dc` loss: squared difference of the means over the power of the target."""

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
class DC:
    """Compare the constant parts: squared mean error of each channel over the power of the target.

    As in Wright, Damskägg and Välimäki, "Real-time black-box modelling with recurrent neural
    networks" (2019), averaged over channels.
    """

    floor: float = opt(-60.0, unit="dBFS", ge=-200, le=0, help="quieter targets count as this loud")

    def build(self, ctx: BuildContext) -> Loss:
        """Build the loss."""
        return partial(offset_to_signal_ratio, floor=10 ** (self.floor / 10))


def offset_to_signal_ratio(output: Output, batch: Batch, *, floor: float) -> torch.Tensor:
    """Return the ratio of each item, [batch]; `floor` is the least mean power of the target."""
    power = batch.target.square().mean(dim=(1, 2)).clamp(min=floor)
    return (output.audio - batch.target).mean(dim=2).square().mean(dim=1) / power
