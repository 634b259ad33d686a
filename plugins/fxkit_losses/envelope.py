"""The `envelope` loss: difference of short-time levels."""

from __future__ import annotations

from typing import TYPE_CHECKING, Literal

import attrs

from fxkit.spec import opt
from fxkit.traits import LossTraits

if TYPE_CHECKING:
    from fxkit.context import BuildContext
    from fxkit.protocols import Loss


@attrs.frozen(kw_only=True)
class Envelope:
    """Average the difference in dB between the levels of output and target, window by window.

    A level is the mean power under a Hann window, four to a window, of all channels together; with a
    weighting before it, it is a loudness ("a-weighting": IEC 61672-1, "k-weighting": ITU-R BS.1770).
    """

    window: float = opt(20.0, unit="ms", gt=0, le=5000, help="length of the window")
    weighting: Literal["none", "a-weighting", "k-weighting"] = opt(
        "none", choices=("none", "a-weighting", "k-weighting"), help="filter before levels are taken"
    )
    floor: float = opt(
        -80.0, unit="dBFS", ge=-200, le=0, help="power that is added, so that silence has a level"
    )

    def traits(self, ctx: BuildContext) -> LossTraits:
        """Declare that it does not see the sign."""
        return LossTraits(sign_blind=True)

    def build(self, ctx: BuildContext) -> Loss:
        """Build the loss."""
        from fxkit_losses._envelope import EnvelopeModule
        from fxkit_signal.weighting import weighting

        samples = max(4, round(self.window * ctx.sample_rate / 1000))
        heard = None if self.weighting == "none" else weighting(self.weighting, ctx.sample_rate)
        return EnvelopeModule(samples, 10 ** (self.floor / 10), heard)
