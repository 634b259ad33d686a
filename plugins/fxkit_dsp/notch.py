"""The `notch` filter."""

from __future__ import annotations

from collections.abc import Sequence
from typing import TYPE_CHECKING

import attrs

from fxkit.context import BuildContext
from fxkit.parameter import Parameter
from fxkit_dsp._corner import Resonant

if TYPE_CHECKING:
    from fxkit_dsp._sections import SectionsModule


@attrs.frozen(kw_only=True)
class Notch(Resonant):
    """Remove one frequency.

    A second-order filter with a zero on the unit circle (Bristow-Johnson, Audio EQ cookbook).
    """

    def parameters(self, ctx: BuildContext) -> Sequence[Parameter]:
        """Declare what can move from frame to frame."""
        return (
            self.frequency(ctx, 1000.0, "what is removed"),
            self.q(10.0, "frequency over width of the gap, measured at -3 dB"),
        )

    def build(self, ctx: BuildContext) -> SectionsModule:
        """Build the module."""
        from fxkit_dsp._sections import SectionsModule
        from fxkit_signal.biquad import notch

        return SectionsModule(ctx, notch, ("frequency", "q"))
