"""The `parametric-eq`: peaks, shelves and passes in series, each free in frequency, gain and Q."""

from __future__ import annotations

from collections.abc import Iterator, Sequence
from typing import TYPE_CHECKING, Any

import attrs

from fxkit.context import BuildContext
from fxkit.parameter import Parameter
from fxkit.spec import opt
from fxkit_dsp._corner import FLAT_Q, HIGHEST_SHARE, Boosting, within

if TYPE_CHECKING:
    from fxkit_dsp._sections import SectionsModule

# Where the ends start, as a share of the octaves from the nearer end of the range.
_MARGIN = 0.05


@attrs.frozen(kw_only=True)
class ParametricEQ(Boosting):
    """Shape the spectrum with any number of bands.

    Every band has a frequency, a gain and a Q; with shelves, band 0 is the low shelf and the last band
    the high shelf. The sections are exact recursive filters with carried state (Bristow-Johnson, Audio
    EQ cookbook).
    """

    peaks: int = opt(3, ge=0, le=64, help="number of peaks")
    shelves: bool = opt(True, help="a low shelf before the peaks and a high shelf behind them")
    high_pass: bool = opt(False, help="a second-order high-pass at the low end")
    low_pass: bool = opt(False, help="a second-order low-pass at the high end")

    @property
    def bands(self) -> int:
        """Return the number of bands with a gain."""
        return self.peaks + 2 * self.shelves

    @property
    def ends(self) -> tuple[str, ...]:
        """Return the filters without a gain, in order."""
        return ("high_pass",) * self.high_pass + ("low_pass",) * self.low_pass

    @property
    def sections(self) -> int:
        """Return the number of second-order sections."""
        return self.bands + len(self.ends)

    @classmethod
    def examples(cls) -> Sequence[object]:
        """Return several selections of filters to check."""
        every = cls(peaks=1, high_pass=True, low_pass=True)
        return cls(), every, cls(peaks=2, shelves=False), cls(peaks=0, shelves=False, low_pass=True)

    def problems(self) -> Iterator[tuple[str, str]]:
        """Refuse empty ranges, and an equaliser of nothing."""
        yield from super().problems()
        if not self.bands + len(self.ends):
            yield "peaks", "nothing is left; set peaks, shelves, high_pass or low_pass"

    def parameters(self, ctx: BuildContext) -> Sequence[Parameter]:
        """Declare frequency, gain and Q, one value per band; the bands start spread and flat."""
        return (*(self._bands(ctx) if self.bands else ()), *self._ends(ctx))

    def _bands(self, ctx: BuildContext) -> Iterator[Parameter]:
        shares = [(band + 1) / (self.bands + 1) for band in range(self.bands)]
        many: dict[str, Any] = {"size": self.bands}
        frequency = self.frequency(ctx, self.lowest, "corner of a shelf, centre of a peak")
        yield attrs.evolve(frequency, default=tuple(map(frequency.to_physical, shares)), **many)
        yield attrs.evolve(self.gain("boost or cut of each band"), **many)
        yield attrs.evolve(self.q(FLAT_Q, "centre frequency over bandwidth"), **many)

    def _ends(self, ctx: BuildContext) -> Iterator[Parameter]:
        top = min(self.highest, HIGHEST_SHARE * ctx.sample_rate)
        for name in self.ends:
            share = _MARGIN if name == "high_pass" else 1 - _MARGIN
            start = within(self.lowest * (top / self.lowest) ** share, self.lowest, top)
            yield attrs.evolve(self.frequency(ctx, start, "corner"), name=f"{name}_frequency")
            yield attrs.evolve(self.q(FLAT_Q, "level at the corner"), name=f"{name}_q")

    def build(self, ctx: BuildContext) -> SectionsModule:
        """Build the module."""
        from fxkit_dsp._parametric_eq import ParametricDesign
        from fxkit_dsp._sections import SectionsModule

        names = [parameter.name for parameter in self.parameters(ctx)]
        design = ParametricDesign(bands=self.bands, shelves=self.shelves, ends=self.ends)
        return SectionsModule(ctx, design, names)
