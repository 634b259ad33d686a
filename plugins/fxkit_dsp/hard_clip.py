"""The `hard-clip` processor: limit each sample to [-1, 1]."""

from __future__ import annotations

from typing import TYPE_CHECKING

import attrs

from fxkit.context import BuildContext
from fxkit_dsp._shaper import Shaper

if TYPE_CHECKING:
    from fxkit_dsp._shaper_module import ShaperModule


@attrs.frozen(kw_only=True)
class HardClip(Shaper):
    """Clip hard at full scale.

    The output is clip(g x + b) - clip(b) with clip(u) = max(-1, min(1, u)). With `antialias`, the curve is
    averaged between samples (Parker, Zavalishin and Le Bivic, DAFx-16).
    """

    def build(self, ctx: BuildContext) -> ShaperModule:
        """Build the module."""
        from fxkit_dsp._shaper_module import ShaperModule
        from fxkit_signal.shaping import HARD_CLIP

        return ShaperModule(lambda params: HARD_CLIP, self.antialias)
