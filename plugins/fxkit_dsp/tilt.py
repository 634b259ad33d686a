"""The `tilt` filter."""

from __future__ import annotations

from collections.abc import Sequence
from typing import TYPE_CHECKING

import attrs

from fxkit.context import BuildContext
from fxkit.parameter import Parameter
from fxkit.spec import opt
from fxkit_dsp._corner import Corner

if TYPE_CHECKING:
    from fxkit_dsp._sections import SectionsModule


@attrs.frozen(kw_only=True)
class Tilt(Corner):
    """Turn the spectrum about a frequency: brighter or darker by one knob.

    One first-order section, H(s) = (g s + w) / (s + g w), through the bilinear transform: the highs rise
    by what the lows fall.
    """

    gain_range: float = opt(12.0, unit="dB", gt=0, le=60, help="largest rise of the highs, fall of the lows")

    def parameters(self, ctx: BuildContext) -> Sequence[Parameter]:
        """Declare what can move from frame to frame."""
        return (
            self.frequency(ctx, 650.0, "pivot, whose level stays"),
            Parameter(
                name="gain_db", low=-self.gain_range, high=self.gain_range, default=0.0, unit="dB",
                rate="control", help="rise of the highs and fall of the lows",
            ),
        )  # fmt: skip

    def build(self, ctx: BuildContext) -> SectionsModule:
        """Build the module."""
        from fxkit_dsp._sections import SectionsModule
        from fxkit_signal.filter_design import tilt

        return SectionsModule(ctx, tilt, ("frequency", "gain_db"))
