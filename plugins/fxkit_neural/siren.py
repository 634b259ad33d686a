"""The `siren` processor: a learned curve made of sines."""

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
class Siren:
    """Shape each sample by a learned curve of nested sines, for curves that fold or ripple.

    The output is s(x) + m(x) - m(0): s is the starting curve and m a multilayer perceptron with
    sin(w0 (W x + b)) as its layers and their initial weights (Sitzmann et al., "Implicit neural
    representations with periodic activation functions", NeurIPS 2020, section 3.2); its last layer starts
    at zero, so training departs exactly from s. Every channel is shaped by the same curve.
    """

    hidden: int = opt(16, ge=1, le=1024, help="units per hidden layer")
    layers: int = opt(2, ge=1, le=8, help="hidden layers")
    frequency: float = opt(
        30.0, gt=0, le=1000, help="w0, radians per unit of input of the fastest first-layer unit"
    )
    start: Literal["identity", "tanh"] = opt(
        "tanh", choices=("identity", "tanh"), help="curve at the start of training"
    )

    @classmethod
    def examples(cls) -> tuple[Siren, ...]:
        """Return variants that are worth checking beside the defaults."""
        return (cls(start="identity", layers=1),)

    def parameters(self, ctx: BuildContext) -> tuple[Parameter, ...]:
        """Declare that nothing is set from outside."""
        return ()

    def traits(self, ctx: BuildContext) -> Traits:
        """Declare a shaper that reads one sample per sample."""
        return Traits(receptive_field=1)

    def build(self, ctx: BuildContext) -> Processor:
        """Build the module."""
        from fxkit_neural._siren import SirenModule

        return SirenModule(self.hidden, self.layers, self.frequency, self.start)
