"""The `static-mlp-nonlinearity` processor: a waveshaper whose curve is learned."""

from __future__ import annotations

from typing import TYPE_CHECKING, Literal

import attrs

from fxkit.spec import opt
from fxkit.traits import Traits

if TYPE_CHECKING:
    from fxkit.context import BuildContext
    from fxkit.parameter import Parameter
    from fxkit.protocols import Processor


@attrs.frozen(kw_only=True)
class StaticMLPNonlinearity:
    """Shape each sample by a learned curve that has no memory.

    The output is s(x) + m(x) - m(0): s is the starting curve and m a multilayer perceptron of one
    input and one output whose last layer starts at zero, so training departs exactly from s. Taking
    m(0) away keeps silence silent. Every channel is shaped by the same curve.
    """

    hidden: int = opt(16, ge=1, le=1024, help="units per hidden layer")
    layers: int = opt(2, ge=1, le=8, help="hidden layers")
    activation: Literal["tanh", "relu", "sine"] = opt(
        "tanh", choices=("tanh", "relu", "sine"), help="function after each hidden layer"
    )
    start: Literal["identity", "tanh"] = opt(
        "tanh", choices=("identity", "tanh"), help="curve at the start of training"
    )

    @classmethod
    def examples(cls) -> tuple[StaticMLPNonlinearity, ...]:
        """Return the forms that differ in what they promise."""
        return (cls(), cls(start="identity", activation="sine"))

    def parameters(self, ctx: BuildContext) -> tuple[Parameter, ...]:
        """Declare that nothing is set from outside."""
        return ()

    def traits(self, ctx: BuildContext) -> Traits:
        """Declare a shaper that reads one sample per sample."""
        return Traits(receptive_field=1, autocast=True)

    def build(self, ctx: BuildContext) -> Processor:
        """Build the module."""
        from fxkit_neural._static_mlp_nonlinearity import StaticMLPModule

        return StaticMLPModule(self.hidden, self.layers, self.activation, self.start)
