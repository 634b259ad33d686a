"""The `fir`: a linear filter with free taps."""

from __future__ import annotations

from collections.abc import Sequence
from typing import TYPE_CHECKING

import attrs

from fxkit.context import BuildContext
from fxkit.parameter import Parameter
from fxkit.spec import opt
from fxkit.traits import Traits

if TYPE_CHECKING:
    from fxkit_dsp._fir import FIRModule


@attrs.frozen(kw_only=True)
class FIR:
    """Filter by taps that are learned one by one; starts as the identity.

    The most general linear device of limited memory: fits any equaliser, phase included, as far as its
    response has died away after `taps` samples.
    """

    taps: int = opt(64, ge=1, le=131072, help="length of the impulse response in samples")
    separate: bool = opt(False, help="learn taps for each channel instead of one set for all")

    def parameters(self, ctx: BuildContext) -> Sequence[Parameter]:
        """Declare nothing: the taps are weights."""
        return ()

    def traits(self, ctx: BuildContext) -> Traits:
        """Declare a filter without latency that reaches over its taps."""
        return Traits(receptive_field=self.taps, macs=self.taps * ctx.channels)

    def build(self, ctx: BuildContext) -> FIRModule:
        """Build the module."""
        from fxkit_dsp._fir import FIRModule, impulse

        return FIRModule(impulse(self.taps, ctx.channels if self.separate else 1))
