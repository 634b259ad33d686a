"""The `peak` filter."""

from __future__ import annotations

from collections.abc import Sequence
from typing import TYPE_CHECKING

import attrs

from fxkit.context import BuildContext
from fxkit.parameter import Parameter
from fxkit_dsp._corner import FLAT_Q, Boosting

if TYPE_CHECKING:
    from fxkit_dsp._sections import SectionsModule


@attrs.frozen(kw_only=True)
class Peak(Boosting):
    """Change the level around a frequency.

    A second-order bell (Bristow-Johnson, Audio EQ cookbook); a boost and the cut of the same size undo
    each other.
    """

    def parameters(self, ctx: BuildContext) -> Sequence[Parameter]:
        """Declare what can move from frame to frame."""
        return (
            self.frequency(ctx, 1000.0, "centre of the bell"),
            self.gain("level at the centre"),
            self.q(FLAT_Q, "centre over bandwidth, where half of the gain in dB is left"),
        )

    def build(self, ctx: BuildContext) -> SectionsModule:
        """Build the module."""
        from fxkit_dsp._sections import SectionsModule
        from fxkit_signal.biquad import peak

        return SectionsModule(ctx, peak, ("frequency", "gain_db", "q"))
