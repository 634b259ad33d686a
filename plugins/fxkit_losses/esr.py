"""The `esr` loss: energy of the error over energy of the target."""

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
class ESR:
    """Divide the energy of the error by the energy of the target, item by item.

    With `pre_emphasis` a, both signals first pass 1 - a z^-1, which weighs high frequencies up (Wright
    and Välimäki, "Perceptual loss function for neural modeling of audio systems", 2020).
    """

    pre_emphasis: float = opt(0.0, ge=0, lt=1, help="coefficient a of the filter 1 - a z^-1; 0 leaves it out")
    floor: float = opt(
        -60.0,
        unit="dBFS",
        ge=-200,
        le=0,
        help="quieter targets count as this loud, so that silence does not swamp the rest",
    )

    def build(self, ctx: BuildContext) -> Loss:
        """Build the loss."""
        return partial(error_to_signal_ratio, emphasis=self.pre_emphasis, floor=10 ** (self.floor / 10))


def error_to_signal_ratio(output: Output, batch: Batch, *, emphasis: float, floor: float) -> torch.Tensor:
    """Return the ratio of each item, [batch]; `floor` is the least mean power of the target."""
    error, target = (pre_emphasise(x, emphasis) for x in (output.audio - batch.target, batch.target))
    power = target.square().mean(dim=(1, 2)).clamp(min=floor)
    return error.square().mean(dim=(1, 2)) / power


def pre_emphasise(audio: torch.Tensor, coefficient: float) -> torch.Tensor:
    """Filter `audio` by 1 - coefficient z^-1, starting from silence."""
    if not coefficient:
        return audio
    filtered = audio.clone()
    filtered[..., 1:] -= coefficient * audio[..., :-1]
    return filtered
