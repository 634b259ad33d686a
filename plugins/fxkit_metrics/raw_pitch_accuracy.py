"""The `raw-pitch-accuracy` metric: share of voiced frames whose pitch is right."""

from __future__ import annotations

from functools import partial
from typing import TYPE_CHECKING

import attrs

from fxkit.spec import opt
from fxkit.traits import LossTraits
from fxkit_metrics._voice import Voice, VoiceMetric

if TYPE_CHECKING:
    import torch

    from fxkit.context import BuildContext
    from fxkit.protocols import Loss
    from fxkit.values import Batch, Output


@attrs.frozen(kw_only=True)
class RawPitchAccuracy(VoiceMetric):
    """Count the target's voiced frames in which the output has the same pitch (Poliner et al., 2007).

    Share of them, between 0 and 1; a target without voiced frames counts as 1.
    """

    tolerance: float = opt(50.0, unit="cents", gt=0, le=600, help="how far off still counts as the same")

    def traits(self, ctx: BuildContext) -> LossTraits:
        """Declare that more is better."""
        return LossTraits(differentiable=False, higher_is_better=True, sign_blind=True)

    def build(self, ctx: BuildContext) -> Loss:
        """Build the metric; raises `ValueError` when the sample rate is too low for the ceiling."""
        return partial(pitch_accuracy, voice=self.voice(ctx), tolerance=self.tolerance)


def pitch_accuracy(output: Output, batch: Batch, *, voice: Voice, tolerance: float) -> torch.Tensor:
    """Return the share of each item, [batch]."""
    values = []
    for frames in voice.frames(output, batch):
        voiced = int(frames.expected_voiced.sum())
        values.append(int((frames.cents() <= tolerance).sum()) / voiced if voiced else 1.0)
    return output.audio.new_tensor(values)
