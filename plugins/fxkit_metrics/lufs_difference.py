"""The `lufs-difference` metric: difference of programme loudness."""

from __future__ import annotations

from functools import partial
from typing import TYPE_CHECKING

import attrs

from fxkit.traits import LossTraits

if TYPE_CHECKING:
    import torch

    from fxkit.context import BuildContext
    from fxkit.protocols import Loss
    from fxkit.values import Batch, Output


@attrs.frozen(kw_only=True)
class LUFSDifference:
    """Take the difference of the integrated loudness of output and target, in loudness units.

    Loudness is that of ITU-R BS.1770-4 with both gates; a signal below the absolute gate counts as -70.
    """

    def traits(self, ctx: BuildContext) -> LossTraits:
        """Declare that it does not see the sign."""
        return LossTraits(sign_blind=True)

    def build(self, ctx: BuildContext) -> Loss:
        """Build the metric."""
        return partial(loudness_difference, rate=ctx.sample_rate)


def loudness_difference(output: Output, batch: Batch, *, rate: float) -> torch.Tensor:
    """Return the magnitude of the difference of each item in LU, [batch]."""
    from fxkit_signal.programme_loudness import integrated_loudness

    return (integrated_loudness(output.audio, rate) - integrated_loudness(batch.target, rate)).abs()
