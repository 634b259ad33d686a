"""The `wavefolder` processor: what exceeds the limit is reflected, again and again."""

from __future__ import annotations

from typing import TYPE_CHECKING, Literal

import attrs

from fxkit.context import BuildContext
from fxkit.spec import opt
from fxkit_dsp._shaper import Shaper

if TYPE_CHECKING:
    from fxkit_dsp._shaper_module import ShaperModule


@attrs.frozen(kw_only=True)
class Wavefolder(Shaper):
    """Fold the wave back where it exceeds a limit.

    A triangle folds at full scale with sharp corners, a sine at pi / 2 smoothly (Esqueda, Pöntynen,
    Parker and Bilbao, "Virtual analog models of the Lockhart and Serge wavefolders", Applied Sciences
    7(12), 2017, treats the circuits). Drive decides how often.
    """

    shape: Literal["sine", "triangle"] = opt(
        "sine", choices=("sine", "triangle"), help="the curve that folds"
    )

    @classmethod
    def examples(cls) -> tuple[Wavefolder, ...]:
        """Return variants that are worth checking beside the defaults."""
        return cls(shape="triangle"), cls(antialias=True)

    def build(self, ctx: BuildContext) -> ShaperModule:
        """Build the module."""
        from fxkit_dsp._shaper_module import ShaperModule
        from fxkit_signal.shaping import SINE_FOLD, TRIANGLE_FOLD

        curve = {"sine": SINE_FOLD, "triangle": TRIANGLE_FOLD}[self.shape]
        return ShaperModule(lambda params: curve, self.antialias)
