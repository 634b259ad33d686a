"""The `tanh` processor: soft clipping by the hyperbolic tangent."""

from __future__ import annotations

from typing import TYPE_CHECKING

import attrs

from fxkit.context import BuildContext
from fxkit_dsp._shaper import Shaper

if TYPE_CHECKING:
    from fxkit_dsp._shaper_module import ShaperModule


@attrs.frozen(kw_only=True)
class Tanh(Shaper):
    """Clip softly by tanh.

    The output is tanh(g x + b) - tanh(b). With `antialias`, log cosh serves as antiderivative (Parker,
    Zavalishin and Le Bivic, "Reducing the aliasing of nonlinear waveshaping using continuous-time
    convolution", DAFx-16).
    """

    def build(self, ctx: BuildContext) -> ShaperModule:
        """Build the module."""
        from fxkit_dsp._shaper_module import ShaperModule
        from fxkit_signal.shaping import TANH

        return ShaperModule(lambda params: TANH, self.antialias)
