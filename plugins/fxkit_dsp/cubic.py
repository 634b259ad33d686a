"""The `cubic` processor: soft clipping by a cubic polynomial."""

from __future__ import annotations

from typing import TYPE_CHECKING

import attrs

from fxkit.context import BuildContext
from fxkit_dsp._shaper import Shaper

if TYPE_CHECKING:
    from fxkit_dsp._shaper_module import ShaperModule


@attrs.frozen(kw_only=True)
class Cubic(Shaper):
    """Clip softly by a cubic, which makes the third harmonic and little else until it limits.

    The curve is u - 4 u^3 / 27 up to |u| = 1.5, where it reaches full scale with slope 0 (Sullivan,
    "Extending the Karplus-Strong algorithm to synthesize electric guitar timbres with distortion and
    feedback", CMJ 14(3), 1990, rescaled to slope 1 and limit 1).
    """

    def build(self, ctx: BuildContext) -> ShaperModule:
        """Build the module."""
        from fxkit_dsp._shaper_module import ShaperModule
        from fxkit_signal.shaping import CUBIC

        return ShaperModule(lambda params: CUBIC, self.antialias)
