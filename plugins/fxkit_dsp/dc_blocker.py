"""The `dc-blocker` filter."""

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
class DCBlocker(Corner):
    """Remove a constant offset: a first-order high-pass far below what is heard.

    (1 + a) / 2 * (1 - z^-1) / (1 - a z^-1), the bilinear transform of s / (s + w).
    """

    lowest: float = opt(1.0, unit="Hz", gt=0, help="lowest frequency that a controller can set")
    highest: float = opt(
        100.0, unit="Hz", gt=0, help="highest frequency; at most 0.45 of the sample rate is used"
    )

    def parameters(self, ctx: BuildContext) -> Sequence[Parameter]:
        """Declare what can move from frame to frame."""
        return (self.frequency(ctx, 10.0, "corner, where 3 dB are lost"),)

    def build(self, ctx: BuildContext) -> SectionsModule:
        """Build the module."""
        from fxkit_dsp._sections import SectionsModule
        from fxkit_signal.filter_design import first_order_high_pass

        return SectionsModule(ctx, first_order_high_pass, ("frequency",))
