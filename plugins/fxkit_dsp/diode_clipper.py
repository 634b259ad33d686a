"""The `diode-clipper` processor: a resistor into a capacitor and two opposed diodes."""

from __future__ import annotations

from collections.abc import Sequence
from typing import TYPE_CHECKING

import attrs

from fxkit.context import BuildContext
from fxkit.parameter import Parameter
from fxkit_dsp._circuit import DiodeCircuit, component

if TYPE_CHECKING:
    from fxkit_dsp._diode_clipper import DiodeClipperModule


@attrs.frozen(kw_only=True)
class DiodeClipper(DiodeCircuit):
    """Clip by the circuit of a distortion pedal: resistor, capacitor and two opposed diodes to ground.

    C dv/dt = (u - v) / R - I (e^(v / a) - e^(-v / b)) (Yeh, Abel and Smith, "Simplified,
    physically-informed models of distortion and overdrive guitar effects pedals", DAFx-07, eq. 4), solved
    in float64 at every sample. Input and output are in volt.
    """

    def parameters(self, ctx: BuildContext) -> Sequence[Parameter]:
        """Declare the level that enters and the values of the components."""
        return (
            *self.diode_parameters(),
            Parameter(
                name="resistance", low=0.1, high=1000.0, default=2.2, unit="kohm", mapping="log",
                help="resistor before the diodes",
            ),
            component("capacitance", 0.01, 1000.0, 10.0, "nF", "capacitor across the diodes"),
        )  # fmt: skip

    def build(self, ctx: BuildContext) -> DiodeClipperModule:
        """Build the module."""
        from fxkit_dsp._diode_clipper import DiodeClipperModule

        return DiodeClipperModule(ctx.sample_rate, self.rule)
