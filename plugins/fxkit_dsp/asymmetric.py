"""The `asymmetric` processor: soft clipping with one limit above and another below."""

from __future__ import annotations

from collections.abc import Sequence
from typing import TYPE_CHECKING

import attrs

from fxkit.context import BuildContext
from fxkit.parameter import Parameter
from fxkit_dsp._shaper import Shaper

if TYPE_CHECKING:
    from fxkit_dsp._shaper_module import ShaperModule


@attrs.frozen(kw_only=True)
class Asymmetric(Shaper):
    """Clip softly with limits of their own above and below, which makes even harmonics.

    Each half-wave u is L tanh(u / L) with its own limit L; value, slope and curvature agree where they
    meet. With u = g x + b, the curve at b is taken away, so that silence stays silent.
    """

    def parameters(self, ctx: BuildContext) -> Sequence[Parameter]:
        """Declare drive, bias and both limits, which may move at every sample."""
        return (
            *super().parameters(ctx),
            Parameter(name="upper", low=0.05, high=4.0, default=1.0, mapping="log", help="limit above zero"),
            Parameter(name="lower", low=0.05, high=4.0, default=0.5, mapping="log", help="limit below zero"),
        )

    def build(self, ctx: BuildContext) -> ShaperModule:
        """Build the module."""
        from fxkit_dsp._shaper_module import ShaperModule
        from fxkit_signal.shaping import asymmetric_curve

        return ShaperModule(lambda params: asymmetric_curve(params["upper"], params["lower"]), self.antialias)
