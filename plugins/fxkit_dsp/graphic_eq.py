"""The `graphic-eq`: a slider for each octave or third of an octave."""

from __future__ import annotations

from collections.abc import Sequence
from functools import partial
from typing import TYPE_CHECKING, Literal

import attrs

from fxkit.context import BuildContext
from fxkit.parameter import Parameter
from fxkit.spec import opt
from fxkit.traits import Traits

if TYPE_CHECKING:
    from fxkit_dsp._sections import SectionsModule


@attrs.frozen(kw_only=True)
class GraphicEQ:
    """Set the level of each band of the spectrum.

    The response at the centre of each band is what its slider says, to 0.05 dB: the peaks in the cascade are
    corrected for what their neighbours add (Oliver and Jot, 2015; Välimäki and Liski, 2017). Bands
    that reach above 0.45 of the sample rate are left out.
    """

    bands: Literal["octave", "third-octave"] = opt("octave", help="width of a band; 10 or 31 at 48 kHz")
    gain_range: float = opt(12.0, unit="dB", gt=0, le=12, help="largest boost and cut of a band")

    def parameters(self, ctx: BuildContext) -> Sequence[Parameter]:
        """Declare one level per band, which can move from frame to frame."""
        return (
            Parameter(
                name="gain_db", low=-self.gain_range, high=self.gain_range, default=0.0, unit="dB",
                size=len(self.centres(ctx)), rate="control", help="level of each band, the lowest first",
            ),
        )  # fmt: skip

    def traits(self, ctx: BuildContext) -> Traits:
        """Declare a recursive filter without delay."""
        return Traits(macs=5 * len(self.centres(ctx)) * ctx.channels)

    def centres(self, ctx: BuildContext) -> tuple[float, ...]:
        """Return the centre of each band in Hz: base-two midbands about 1 kHz (IEC 61260-1, 2014)."""
        per_octave, steps = (1, range(-5, 5)) if self.bands == "octave" else (3, range(-17, 14))
        centres = (1000 * 2 ** (step / per_octave) for step in steps)
        return tuple(centre for centre in centres if centre <= 0.45 * ctx.sample_rate)

    def build(self, ctx: BuildContext) -> SectionsModule:
        """Build the module."""
        from fxkit_dsp._sections import SectionsModule
        from fxkit_signal.filter_design import graphic_equalizer

        return SectionsModule(ctx, partial(graphic_equalizer, centres=self.centres(ctx)), ("gain_db",))
