"""The `crest-factor-difference` metric: difference of peak over root mean square."""

from __future__ import annotations

from functools import partial
from typing import TYPE_CHECKING

import attrs

from fxkit.spec import opt
from fxkit.traits import LossTraits

if TYPE_CHECKING:
    import torch

    from fxkit.context import BuildContext
    from fxkit.protocols import Loss
    from fxkit.values import Batch, Output


@attrs.frozen(kw_only=True)
class CrestFactorDifference:
    """Take the difference of the crest factors of output and target in dB: what compression changes.

    A crest factor is the largest magnitude over the root mean square of an item, all channels together.
    """

    floor: float = opt(
        -80.0, unit="dBFS", ge=-200, le=0, help="level that is added to peak and mean, for silence"
    )

    def traits(self, ctx: BuildContext) -> LossTraits:
        """Declare that it does not see the sign."""
        return LossTraits(sign_blind=True)

    def build(self, ctx: BuildContext) -> Loss:
        """Build the metric."""
        return partial(crest_difference, floor=10 ** (self.floor / 20))


def crest_difference(output: Output, batch: Batch, *, floor: float) -> torch.Tensor:
    """Return the magnitude of the difference of each item in dB, [batch]."""
    return (_crest(output.audio, floor) - _crest(batch.target, floor)).abs()


def _crest(audio: torch.Tensor, floor: float) -> torch.Tensor:
    peak = audio.abs().amax(dim=(1, 2)) + floor
    return 20 * (peak.log10() - ((audio.square().mean(dim=(1, 2)) + floor**2).sqrt()).log10())
