"""The `op-amp-overdrive` processor: an amplifier with diodes in its feedback."""

from __future__ import annotations

from collections.abc import Sequence
from typing import TYPE_CHECKING

import attrs

from fxkit.context import BuildContext
from fxkit.parameter import Parameter
from fxkit_dsp._circuit import DiodeCircuit, component

if TYPE_CHECKING:
    from fxkit_dsp._op_amp_overdrive import OpAmpOverdriveModule


@attrs.frozen(kw_only=True)
class OpAmpOverdrive(DiodeCircuit):
    """Overdrive by the clipping stage of Tube-Screamer-like pedals.

    A non-inverting operational amplifier, ideal, with diodes, a resistor and a capacitor in its feedback,
    and a resistor and a capacitor from its inverting input to ground: the clean signal always comes
    through, and above the corner of that leg what the diodes limit is added (Yeh, Abel and Smith,
    DAFx-07, section 4). Input and output are in volt; the tone control that follows is up to filters.
    """

    def parameters(self, ctx: BuildContext) -> Sequence[Parameter]:
        """Declare the level that enters and the values of the components."""
        return (
            *self.diode_parameters(),
            Parameter(
                name="feedback", low=5.0, high=5000.0, default=300.0, unit="kohm", mapping="log",
                help="resistor across the diodes, with the drive pot in it",
            ),
            component("feedback_capacitance", 0.001, 100.0, 0.051, "nF", "capacitor across the diodes"),
            component("leg", 0.1, 100.0, 4.7, "kohm", "resistor from the inverting input to ground"),
            component("leg_capacitance", 1.0, 1000.0, 47.0, "nF", "capacitor in series with it"),
        )  # fmt: skip

    def build(self, ctx: BuildContext) -> OpAmpOverdriveModule:
        """Build the module."""
        from fxkit_dsp._op_amp_overdrive import OpAmpOverdriveModule

        return OpAmpOverdriveModule(ctx.sample_rate, self.rule)
