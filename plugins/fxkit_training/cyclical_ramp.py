"""The `cyclical` ramp."""

from __future__ import annotations

import math
from typing import TYPE_CHECKING

import attrs

from fxkit.spec import opt
from fxkit_training._ramp import Moving, checked

if TYPE_CHECKING:
    from fxkit.context import BuildContext


@attrs.frozen(kw_only=True)
class CyclicalRamp(Moving):
    """Let the weight of a loss rise several times over: in each cycle in a straight line, then held.

    With it the KL term of a variational autoencoder leaves the latents in use (Fu et al., "Cyclical
    annealing schedule", NAACL 2019, equation 6).
    """

    cycles: int = opt(4, ge=1, help="how often it rises")
    rising: float = opt(0.5, gt=0, le=1, help="share of each cycle over which it rises")

    def build(self, ctx: BuildContext) -> CyclicalRamp:
        """Build the ramp; raises `ValueError` when the options do not fit together."""
        return checked(self)

    def weight(self, step: int, share: float) -> float:
        """Return the weight in step `step` (from 0), before which `share` of the training was over."""
        moved = self.moved(step, share)
        place = 1.0 if moved == 1.0 else math.fmod(moved * self.cycles, 1.0)
        return self.between(min(1.0, place / self.rising))
