"""The `voicing-f1` metric: agreement on which frames have a pitch."""

from __future__ import annotations

from functools import partial
from typing import TYPE_CHECKING

import attrs

from fxkit.traits import LossTraits
from fxkit_metrics._voice import Voice, VoiceMetric

if TYPE_CHECKING:
    import torch

    from fxkit.context import BuildContext
    from fxkit.protocols import Loss
    from fxkit.values import Batch, Output


@attrs.frozen(kw_only=True)
class VoicingF1(VoiceMetric):
    """Take the harmonic mean of precision and recall of the output's voiced frames against the target's.

    Between 0 and 1; 1 where neither has any.
    """

    def traits(self, ctx: BuildContext) -> LossTraits:
        """Declare that more is better."""
        return LossTraits(differentiable=False, higher_is_better=True, sign_blind=True)

    def build(self, ctx: BuildContext) -> Loss:
        """Build the metric; raises `ValueError` when the sample rate is too low for the ceiling."""
        return partial(voicing_agreement, voice=self.voice(ctx))


def voicing_agreement(output: Output, batch: Batch, *, voice: Voice) -> torch.Tensor:
    """Return F1 of each item, [batch]."""
    values = []
    for frames in voice.frames(output, batch):
        both = int((frames.found_voiced & frames.expected_voiced).sum())
        either = int(frames.found_voiced.sum()) + int(frames.expected_voiced.sum())
        values.append(2 * both / either if either else 1.0)
    return output.audio.new_tensor(values)
