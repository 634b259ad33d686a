"""The `f0-error` metric: how far off the pitch is."""

from __future__ import annotations

from functools import partial
from typing import TYPE_CHECKING

import attrs

from fxkit_metrics._voice import Voice, VoiceMetric

if TYPE_CHECKING:
    import torch

    from fxkit.context import BuildContext
    from fxkit.protocols import Loss
    from fxkit.values import Batch, Output


@attrs.frozen(kw_only=True)
class F0Error(VoiceMetric):
    """Average by how many cents the pitch of the output is off that of the target.

    Over the frames that are voiced in both, each at most 1200; 1200 where the target has voiced frames
    and shares none.
    """

    def build(self, ctx: BuildContext) -> Loss:
        """Build the metric; raises `ValueError` when the sample rate is too low for the ceiling."""
        return partial(pitch_error, voice=self.voice(ctx))


def pitch_error(output: Output, batch: Batch, *, voice: Voice) -> torch.Tensor:
    """Return the mean error of each item in cents, [batch]."""
    values = []
    for frames in voice.frames(output, batch):
        cents = frames.cents()
        missed = 1200.0 if bool(frames.expected_voiced.any()) else 0.0
        values.append(float(cents.mean()) if len(cents) else missed)
    return output.audio.new_tensor(values)
