"""The `all-pass` filter."""

from __future__ import annotations

from collections.abc import Sequence
from typing import TYPE_CHECKING, Literal

import attrs

from fxkit.context import BuildContext
from fxkit.parameter import Parameter
from fxkit.spec import opt
from fxkit_dsp._corner import FLAT_Q, Resonant

if TYPE_CHECKING:
    from fxkit_dsp._sections import SectionsModule


@attrs.frozen(kw_only=True)
class AllPass(Resonant):
    """Turn the phase around a frequency and leave every level as it is.

    The first order turns by 90 degrees at the frequency and 180 in all, the second by 180 and 360
    (Bristow-Johnson, Audio EQ cookbook).
    """

    order: Literal[1, 2] = opt(2, help="first or second order; a first-order filter has no Q")

    @classmethod
    def examples(cls) -> Sequence[object]:
        """Return both orders to check."""
        return cls(), cls(order=1)

    def parameters(self, ctx: BuildContext) -> Sequence[Parameter]:
        """Declare what can move from frame to frame."""
        centre = self.frequency(ctx, 1000.0, "where half of the phase is turned")
        return (centre, self.q(FLAT_Q, "how fast the phase turns around the frequency"))[: self.order]

    def build(self, ctx: BuildContext) -> SectionsModule:
        """Build the module."""
        from fxkit_dsp._sections import SectionsModule
        from fxkit_signal.biquad import all_pass
        from fxkit_signal.filter_design import first_order_all_pass

        if self.order == 1:
            return SectionsModule(ctx, first_order_all_pass, ("frequency",))
        return SectionsModule(ctx, all_pass, ("frequency", "q"))
