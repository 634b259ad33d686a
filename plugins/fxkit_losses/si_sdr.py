"""The `si-sdr` loss: scale-invariant signal-to-distortion ratio in dB, turned over."""

from __future__ import annotations

from functools import partial
from typing import TYPE_CHECKING

import attrs

from fxkit.spec import opt
from fxkit.traits import LossTraits
from fxkit_losses._ratio import power, turned_decibels

if TYPE_CHECKING:
    import torch

    from fxkit.context import BuildContext
    from fxkit.protocols import Loss
    from fxkit.values import Batch, Output


@attrs.frozen(kw_only=True)
class SISDR:
    """Measure minus the ratio, in dB, of the output's part along the target to the rest of it.

    Le Roux et al., "SDR: half-baked or well done?" (2019), equation 3, over all channels of an item
    together. A gain of the output, or its polarity, changes nothing: pair it with a loss that sees them.
    """

    zero_mean: bool = opt(True, help="take the mean off both signals first, channel by channel")
    floor: float = opt(-100.0, unit="dBFS", ge=-200, le=0, help="level that is added to both powers")

    def traits(self, ctx: BuildContext) -> LossTraits:
        """Declare that it does not see the sign."""
        return LossTraits(sign_blind=True)

    def build(self, ctx: BuildContext) -> Loss:
        """Build the loss."""
        return partial(distortion_ratio, zero_mean=self.zero_mean, floor=10 ** (self.floor / 10))


def distortion_ratio(output: Output, batch: Batch, *, zero_mean: bool, floor: float) -> torch.Tensor:
    """Return minus the scale-invariant signal-to-distortion ratio of each item in dB, [batch]."""
    found, target = (_centred(x) if zero_mean else x for x in (output.audio, batch.target))
    overlap = (found * target).mean(dim=(1, 2), keepdim=True)
    along = overlap / power(target)[:, None, None].clamp(min=1e-12) * target
    return turned_decibels(power(along), power(found - along), floor)


def _centred(audio: torch.Tensor) -> torch.Tensor:
    return audio - audio.mean(dim=2, keepdim=True)
