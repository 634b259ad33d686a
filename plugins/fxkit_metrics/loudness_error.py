"""The `loudness-error` metric: how far off the loudness is, frame by frame."""

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
class LoudnessError:
    """Average the difference of the A-weighted levels of output and target in dB, every 5 ms.

    The levels are those of the feature `loudness`, of the mean of the channels.
    """

    floor: float = opt(-80.0, unit="dB", ge=-200, le=0, help="quieter frames count as this loud")

    def traits(self, ctx: BuildContext) -> LossTraits:
        """Declare that nothing is trained on it."""
        return LossTraits(differentiable=False, sign_blind=True)

    def build(self, ctx: BuildContext) -> Loss:
        """Build the metric."""
        return partial(level_error, rate=ctx.sample_rate, floor=self.floor)


def level_error(output: Output, batch: Batch, *, rate: float, floor: float) -> torch.Tensor:
    """Return the mean difference of each item in dB, [batch]."""
    import torch

    from fxkit_signal.loudness import loudness

    hop = max(1, round(rate / 200))

    def levels(audio: torch.Tensor) -> torch.Tensor:
        mono = audio.detach().mean(dim=1)
        return torch.stack([loudness(item, rate, hop, floor=floor) for item in mono])

    expected = batch.shared.of(batch.target, (level_error, floor), levels)
    return (levels(output.audio) - expected).abs().mean(dim=1)
