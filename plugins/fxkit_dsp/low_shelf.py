"""The `low-shelf` filter."""

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
class LowShelf(Boosting):
    """Change the level below a frequency.

    A second-order shelf (Bristow-Johnson, Audio EQ cookbook). A Q above 0.71 overshoots at the corner.
    """

    def parameters(self, ctx: BuildContext) -> Sequence[Parameter]:
        """Declare what can move from frame to frame."""
        return (
            self.frequency(ctx, 200.0, "where half of the gain, in dB, is reached"),
            self.gain("level of what lies below"),
            self.q(FLAT_Q, "steepness at the corner"),
        )

    def build(self, ctx: BuildContext) -> SectionsModule:
        """Build the module."""
        from fxkit_dsp._sections import SectionsModule
        from fxkit_signal.biquad import low_shelf

        return SectionsModule(ctx, low_shelf, ("frequency", "gain_db", "q"))
