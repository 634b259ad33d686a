"""The `lfo` controller: parameters that swing by themselves."""

from __future__ import annotations

from typing import TYPE_CHECKING, Literal

import attrs

from fxkit.spec import opt
from fxkit.traits import ControlTraits

if TYPE_CHECKING:
    from fxkit.context import BuildContext
    from fxkit.protocols import Controller


@attrs.frozen(kw_only=True)
class LFO:
    """Move each parameter by a low-frequency oscillator of its own.

    Learned per value: the two ends of the swing, the rate and the phase at sample 0, which is counted from
    the start of a recording however it is cut. The swing starts small, around the default.
    """

    wave: Literal["sine", "triangle", "learned"] = opt(
        "sine", choices=("sine", "triangle", "learned"), help="wave of the oscillators; learned: 8 harmonics"
    )
    rate: float = opt(1.0, unit="Hz", gt=0, le=100, help="rate that the oscillators start at")
    swing: float = opt(
        0.1, gt=0, le=1, help="width of the swing that they start with, as a share of the parameter's range"
    )

    def traits(self, ctx: BuildContext) -> ControlTraits:
        """Declare frames made from nothing but time."""
        return ControlTraits(rate="frame", hop=ctx.hop)

    def build(self, ctx: BuildContext) -> Controller:
        """Build the module for the parameters of `ctx`."""
        from fxkit_control._lfo import LFOModule

        return LFOModule(ctx.parameters, self.wave, self.rate, self.swing, ctx.sample_rate, ctx.hop)
