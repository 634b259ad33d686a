"""The `cosine` loss: one minus the cosine of the angle between output and target."""

from __future__ import annotations

from functools import partial
from typing import TYPE_CHECKING

import attrs

from fxkit.spec import opt
from fxkit_losses._ratio import power

if TYPE_CHECKING:
    import torch

    from fxkit.context import BuildContext
    from fxkit.protocols import Loss
    from fxkit.values import Batch, Output


@attrs.frozen(kw_only=True)
class Cosine:
    """Take one minus the cosine of the angle between output and target, all samples of an item as a vector.

    0 for the same shape at any gain, 1 for signals that have nothing in common, 2 for the inverse. It
    hears polarity and phase, and no level: pair it with a loss that does.
    """

    floor: float = opt(
        -100.0, unit="dBFS", ge=-200, le=0, help="level below which signals count as one and the same"
    )

    def build(self, ctx: BuildContext) -> Loss:
        """Build the loss."""
        return partial(angular_distance, floor=10 ** (self.floor / 10))


def angular_distance(output: Output, batch: Batch, *, floor: float) -> torch.Tensor:
    """Return 1 - cosine of each item, [batch]; `floor` is a power that is added to all products."""
    overlap = (output.audio * batch.target).mean(dim=(1, 2)) + floor
    return 1 - overlap / ((power(output.audio) + floor) * (power(batch.target) + floor)).sqrt()
