"""The `sigmoid` ramp."""

from __future__ import annotations

import math
from typing import TYPE_CHECKING

import attrs

from fxkit.spec import opt
from fxkit_training._ramp import Moving, checked

if TYPE_CHECKING:
    from fxkit.context import BuildContext


@attrs.frozen(kw_only=True)
class SigmoidRamp(Moving):
    """Move the weight of a loss along a logistic curve, most of it in the middle.

    So is the KL term of a variational autoencoder often warmed up (Bowman et al., "Generating sentences
    from a continuous space", CoNLL 2016, section 3.1). The curve is stretched to meet both ends.
    """

    steepness: float = opt(
        10.0, gt=0, le=100, help="width of the logistic curve that is used; larger is steeper"
    )

    def build(self, ctx: BuildContext) -> SigmoidRamp:
        """Build the ramp; raises `ValueError` when the options do not fit together."""
        return checked(self)

    def weight(self, step: int, share: float) -> float:
        """Return the weight in step `step` (from 0), before which `share` of the training was over."""
        edge = math.tanh(self.steepness / 4)
        place = math.tanh(self.steepness / 2 * (self.moved(step, share) - 0.5))
        return self.between((place / edge + 1) / 2)
