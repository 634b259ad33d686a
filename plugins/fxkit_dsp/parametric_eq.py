"""The parametric equaliser: a low shelf, peaks and a high shelf in series."""

from __future__ import annotations

from collections.abc import Sequence
from typing import TYPE_CHECKING

import attrs

from fxkit.context import BuildContext
from fxkit.parameter import Parameter
from fxkit.spec import opt
from fxkit.traits import Traits

if TYPE_CHECKING:
    from fxkit_dsp._parametric_eq import ParametricEQModule

# Above this share of the sample rate the bilinear transform squeezes a band to nothing.
HIGHEST_SHARE = 0.45


@attrs.frozen(kw_only=True)
class ParametricEQ:
    """Shape the spectrum with a low shelf, peaks and a high shelf.

    Every band has a frequency, a gain and a Q; band 0 is the low shelf, the last band the high shelf.
    The sections are exact recursive filters with carried state (Bristow-Johnson's cookbook designs).
    """

    peaks: int = opt(3, ge=0, le=32, help="number of peaks between the two shelves")
    gain_range: float = opt(18.0, unit="dB", gt=0, le=60, help="largest boost and cut of a band")
    lowest: float = opt(20.0, unit="Hz", gt=0, help="lowest frequency of a band")
    highest: float = opt(
        20000.0, unit="Hz", gt=0, help="highest frequency of a band; at most 0.45 of the sample rate is used"
    )
    lowest_q: float = opt(0.1, gt=0, help="smallest Q of a band")
    highest_q: float = opt(10.0, gt=0, help="largest Q of a band")

    def parameters(self, ctx: BuildContext) -> Sequence[Parameter]:
        """Declare frequency, gain and Q, one value per band; the bands start spread and flat."""
        bands = self.peaks + 2
        top = min(self.highest, HIGHEST_SHARE * ctx.sample_rate)
        shares = [(band + 1) / (bands + 1) for band in range(bands)]
        centres = tuple(self.lowest * (top / self.lowest) ** share for share in shares)
        q = min(max(0.7, self.lowest_q), self.highest_q)
        return (
            Parameter(
                name="frequency", low=self.lowest, high=top, default=centres, unit="Hz",
                mapping="log", size=bands, rate="constant", help="corner of a shelf, centre of a peak",
            ),
            Parameter(
                name="gain_db", low=-self.gain_range, high=self.gain_range, default=0.0, unit="dB",
                size=bands, rate="constant", help="boost or cut of each band",
            ),
            Parameter(
                name="q", low=self.lowest_q, high=self.highest_q, default=q,
                mapping="log", size=bands, rate="constant", help="centre frequency over bandwidth",
            ),
        )  # fmt: skip

    def traits(self, ctx: BuildContext) -> Traits:
        """Declare a recursive filter without delay."""
        return Traits()

    def build(self, ctx: BuildContext) -> ParametricEQModule:
        """Build the module."""
        from fxkit_dsp._parametric_eq import ParametricEQModule

        return ParametricEQModule(ctx.sample_rate)
