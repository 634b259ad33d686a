"""The `band-pass` filter."""

from __future__ import annotations

from collections.abc import Sequence
from typing import TYPE_CHECKING

import attrs

from fxkit.context import BuildContext
from fxkit.parameter import Parameter
from fxkit_dsp._corner import FLAT_Q, Resonant

if TYPE_CHECKING:
    from fxkit_dsp._sections import SectionsModule


@attrs.frozen(kw_only=True)
class BandPass(Resonant):
    """Pass a band of frequencies.

    A second-order filter with 0 dB at its centre (Bristow-Johnson, Audio EQ cookbook).
    """

    def parameters(self, ctx: BuildContext) -> Sequence[Parameter]:
        """Declare what can move from frame to frame."""
        return (
            self.frequency(ctx, 1000.0, "centre of the band"),
            self.q(FLAT_Q, "centre over bandwidth, measured at -3 dB"),
        )

    def build(self, ctx: BuildContext) -> SectionsModule:
        """Build the module."""
        from fxkit_dsp._sections import SectionsModule
        from fxkit_signal.biquad import band_pass

        return SectionsModule(ctx, band_pass, ("frequency", "q"))
