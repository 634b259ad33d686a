"""The `low-pass` filter."""

from __future__ import annotations

from collections.abc import Sequence
from typing import TYPE_CHECKING

import attrs

from fxkit.context import BuildContext
from fxkit.parameter import Parameter
from fxkit_dsp._butterworth import Butterworth

if TYPE_CHECKING:
    from fxkit_dsp._sections import SectionsModule


@attrs.frozen(kw_only=True)
class LowPass(Butterworth):
    """Pass what lies below a frequency, and less and less of what lies above it.

    Poles after Butterworth (On the theory of filter amplifiers, 1930), 6 dB per octave and order. Q is
    the level at the corner whatever the order: 0.71 is maximally flat, more resonates.
    """

    def parameters(self, ctx: BuildContext) -> Sequence[Parameter]:
        """Declare what can move from frame to frame."""
        return self.corner_and_q(ctx, 10000.0)

    def build(self, ctx: BuildContext) -> SectionsModule:
        """Build the module."""
        from fxkit_signal.filter_design import first_order_low_pass, low_pass_cascade

        return self.module(ctx, first_order_low_pass, low_pass_cascade)
