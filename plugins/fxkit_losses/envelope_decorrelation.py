"""The `envelope-decorrelation` loss: how much of its loudness an output has from another signal."""

from __future__ import annotations

from typing import TYPE_CHECKING, Literal

import attrs

from fxkit.spec import opt
from fxkit.traits import LossTraits

if TYPE_CHECKING:
    from fxkit.context import BuildContext
    from fxkit.protocols import Loss


@attrs.frozen(kw_only=True)
class EnvelopeDecorrelation:
    """Penalise an output whose level moves with that of the input, or of the target.

    The square r^2 of the correlation of the two envelopes (root mean square under Hann windows), between
    0 and 1, and with it the gradient, has a bound; -log(1 - |r|) has none as r nears 1.
    """

    against: Literal["input", "target"] = opt(
        "input", choices=("input", "target"), help="the signal whose envelope is to be left"
    )
    window: float = opt(64.0, unit="ms", gt=0, le=5000, help="length of the window of the envelopes")
    floor: float = opt(
        -60.0, unit="dBFS", ge=-200, le=0, help="envelopes that move by less than this count as still"
    )

    def traits(self, ctx: BuildContext) -> LossTraits:
        """Declare that it is no distance, and what it reads."""
        return LossTraits(distance=False, uses=("input",) if self.against == "input" else ())

    def build(self, ctx: BuildContext) -> Loss:
        """Build the loss."""
        from fxkit_losses._envelope_decorrelation import EnvelopeDecorrelationModule

        samples = max(4, round(self.window * ctx.sample_rate / 1000))
        return EnvelopeDecorrelationModule(self.against, samples, 10 ** (self.floor / 10))
