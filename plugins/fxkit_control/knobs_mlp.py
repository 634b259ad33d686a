"""The `knobs-mlp` controller: parameters as a learned function of the device's knobs."""

from __future__ import annotations

from typing import TYPE_CHECKING

import attrs

from fxkit.errors import AssemblyError
from fxkit.spec import opt
from fxkit.traits import ControlTraits

if TYPE_CHECKING:
    from fxkit.context import BuildContext
    from fxkit.protocols import Controller


@attrs.frozen(kw_only=True)
class KnobsMLP:
    """Map the knobs of the recorded device to parameters by a multilayer perceptron.

    Its last layer starts at zero weights, so that every knob setting starts at the defaults.
    """

    hidden: int = opt(16, ge=1, le=4096, help="units per hidden layer")
    layers: int = opt(2, ge=1, le=8, help="hidden layers, with tanh after each")

    def traits(self, ctx: BuildContext) -> ControlTraits:
        """Declare constants made from the knobs."""
        return ControlTraits(uses=("knobs",))

    def build(self, ctx: BuildContext) -> Controller:
        """Build the module; raises `AssemblyError` when the data has no knobs."""
        if not ctx.knobs:
            raise AssemblyError("knobs-mlp", 'the data has no knobs; give it knob values, or use "static"')
        from fxkit_control._knobs_mlp import KnobsMLPModule

        return KnobsMLPModule(len(ctx.knobs), ctx.parameters, self.hidden, self.layers)
