"""The `exponential` processor: soft clipping that approaches its limit exponentially."""

from __future__ import annotations

from typing import TYPE_CHECKING

import attrs

from fxkit.context import BuildContext
from fxkit_dsp._shaper import Shaper

if TYPE_CHECKING:
    from fxkit_dsp._shaper_module import ShaperModule


@attrs.frozen(kw_only=True)
class Exponential(Shaper):
    """Clip softly by sign(u) (1 - exp(-|u|)), as a diode's knee does.

    The curve bends at once, also for small signals (Zölzer (ed.), "DAFX: Digital Audio Effects", 2011,
    section 4.3). With u = g x + b, the curve at b is taken away, so that silence stays silent.
    """

    def build(self, ctx: BuildContext) -> ShaperModule:
        """Build the module."""
        from fxkit_dsp._shaper_module import ShaperModule
        from fxkit_signal.shaping import EXPONENTIAL

        return ShaperModule(lambda params: EXPONENTIAL, self.antialias)
