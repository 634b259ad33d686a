"""The `low-pass` filter."""

from __future__ import annotations

from collections.abc import Sequence
from functools import partial
from typing import TYPE_CHECKING

import attrs

from fxkit.context import BuildContext
from fxkit.parameter import Parameter
from fxkit.spec import opt
from fxkit_dsp._corner import FLAT_Q, Resonant

if TYPE_CHECKING:
    from fxkit_dsp._sections import SectionsModule


@attrs.frozen(kw_only=True)
class LowPass(Resonant):
    """Pass what lies below a frequency, and less and less of what lies above it.

    Poles after Butterworth (On the theory of filter amplifiers, 1930), 6 dB per octave and order. Q is
    the level at the corner whatever the order: 0.71 is maximally flat, more resonates.
    """

    order: int = opt(2, ge=1, le=16, help="steepness, 6 dB per octave each; a first-order filter has no Q")

    @property
    def sections(self) -> int:
        """Return the number of second-order sections."""
        return (self.order + 1) // 2

    @classmethod
    def examples(cls) -> Sequence[object]:
        """Return an even, an odd and the first order to check."""
        return cls(), cls(order=3), cls(order=1)

    def parameters(self, ctx: BuildContext) -> Sequence[Parameter]:
        """Declare what can move from frame to frame."""
        corner = self.frequency(ctx, 10000.0, "corner")
        return (corner, self.q(FLAT_Q, "level at the corner"))[: self.order]

    def build(self, ctx: BuildContext) -> SectionsModule:
        """Build the module."""
        from fxkit_dsp._sections import SectionsModule
        from fxkit_signal.filter_design import first_order_low_pass, low_pass_cascade

        if self.order == 1:
            return SectionsModule(ctx, first_order_low_pass, ("frequency",))
        return SectionsModule(ctx, partial(low_pass_cascade, order=self.order), ("frequency", "q"))
