"""The `snr` loss: signal-to-noise ratio in dB, turned over so that less is better."""

from __future__ import annotations

from functools import partial
from typing import TYPE_CHECKING

import attrs

from fxkit.spec import opt
from fxkit_losses._ratio import power, turned_decibels

if TYPE_CHECKING:
    import torch

    from fxkit.context import BuildContext
    from fxkit.protocols import Loss
    from fxkit.values import Batch, Output


@attrs.frozen(kw_only=True)
class SNR:
    """Measure minus the ratio, in dB, of the target's power to that of the error.

    Both powers have a floor, so that silence and a perfect output keep a finite value: it lies between
    the floor and minus the floor for signals up to full scale.
    """

    floor: float = opt(-100.0, unit="dBFS", ge=-200, le=0, help="level that is added to both powers")

    def build(self, ctx: BuildContext) -> Loss:
        """Build the loss."""
        return partial(noise_to_signal_ratio, floor=10 ** (self.floor / 10))


def noise_to_signal_ratio(output: Output, batch: Batch, *, floor: float) -> torch.Tensor:
    """Return minus the signal-to-noise ratio of each item in dB, [batch]."""
    return turned_decibels(power(batch.target), power(output.audio - batch.target), floor)
