"""The `chebyshev` processor: each weight is the level of one harmonic."""

from __future__ import annotations

from collections.abc import Sequence
from typing import TYPE_CHECKING

import attrs

from fxkit.context import BuildContext
from fxkit.parameter import Parameter
from fxkit.spec import opt
from fxkit.traits import Traits
from fxkit_dsp._shaper import ANTIALIAS_HELP, shaper_traits

if TYPE_CHECKING:
    from fxkit_dsp._shaper_module import CurveModule


@attrs.frozen(kw_only=True)
class Chebyshev:
    """Shape by a sum of Chebyshev polynomials: weight k is harmonic k of a full-scale sine.

    The output is sum_k w_k (T_k(x) - T_k(0)) for x clipped to full scale, with T_k(cos t) = cos(k t)
    (Le Brun, "Digital waveshaping synthesis", JAES 27(4), 1979). It starts as the identity.
    """

    order: int = opt(6, ge=2, le=32, help="number of harmonics")
    antialias: bool = opt(False, help=ANTIALIAS_HELP)

    @classmethod
    def examples(cls) -> tuple[Chebyshev, ...]:
        """Return variants that are worth checking beside the defaults."""
        return (cls(antialias=True),)

    def parameters(self, ctx: BuildContext) -> Sequence[Parameter]:
        """Declare one weight per harmonic, which may move at every sample."""
        start = (1.0,) + (0.0,) * (self.order - 1)
        weights = "level of each harmonic of a full-scale sine, its sign included"
        return (
            Parameter(name="harmonics", low=-1.0, high=1.0, default=start, size=self.order, help=weights),
        )

    def traits(self, ctx: BuildContext) -> Traits:
        """Declare a shaper that reads one sample per sample, or three when it antialiases."""
        return shaper_traits(ctx, self.antialias, 2 * self.order)

    def build(self, ctx: BuildContext) -> CurveModule:
        """Build the module."""
        from fxkit_dsp._shaper_module import CurveModule
        from fxkit_signal.chebyshev import chebyshev

        return CurveModule(lambda params: chebyshev(params["harmonics"]), self.antialias)
