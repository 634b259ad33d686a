"""What the specs of the recurrent networks share."""

from __future__ import annotations

from typing import TYPE_CHECKING, Any, ClassVar, TypeVar

import attrs

from fxkit.spec import opt
from fxkit.traits import Traits
from fxkit_neural._conditioned import Conditioned

if TYPE_CHECKING:
    from fxkit.context import BuildContext
    from fxkit.protocols import Processor

Network = TypeVar("Network", bound="RecurrentNetwork")


@attrs.frozen(kw_only=True)
class RecurrentNetwork(Conditioned):
    """Declare the options of a network of recurrent layers and a linear one."""

    kind: ClassVar[str]
    gates: ClassVar[int]

    hidden: int = opt(32, ge=1, le=1024, help="units per layer")
    layers: int = opt(1, ge=1, le=8, help="recurrent layers")
    skip: bool = opt(True, help="add the input to the output, so that the network learns the difference")
    output: str = opt(
        "linear", choices=("linear", "tanh"), help="what bends the sum at the end: nothing, or tanh"
    )
    initial: str = opt(
        "zeros", choices=("zeros", "learned"), help="the state of the layers before the first sample"
    )
    conditioning: Any = opt(None, kind="conditionings", help="how a condition acts on the layers' outputs")

    @classmethod
    def examples(cls: type[Network]) -> tuple[Network, ...]:
        """Return the forms that differ in what they promise."""
        from fxkit_neural.concat import Concat
        from fxkit_neural.film import FiLM
        from fxkit_neural.tfilm import TFiLM

        acting = (FiLM(), TFiLM(block=48, lookahead=True))
        return (
            cls(),
            cls(hidden=6, layers=2, initial="learned", conditioning=Concat(size=2)),
            cls(hidden=20, skip=False, output="tanh"),
            *(cls(hidden=6, layers=2, conditioning=one) for one in acting),
        )

    @property
    def widths(self) -> tuple[int, ...]:
        """Return the units of each layer, on whose outputs a condition acts."""
        return (self.hidden,) * self.layers

    def traits(self, ctx: BuildContext) -> Traits:
        """Declare a causal recursion, and the products of its layers and of the linear one behind them."""
        condition = self._condition(ctx)
        inputs = (self._reads(ctx), *self.widths[1:])
        gates = sum(self.gates * self.hidden * (width + self.hidden) for width in inputs)
        macs = gates + self.hidden * ctx.channels + condition.macs
        return Traits(latency=condition.latency, macs=macs, autocast=True)

    def build(self, ctx: BuildContext) -> Processor:
        """Build the module for the channels of `ctx`."""
        from fxkit_neural._recurrent import RecurrentModule

        module = RecurrentModule(
            self.kind,
            (self._reads(ctx), self.hidden, ctx.channels),
            self.layers,
            self._build_conditioning(ctx),
            skip=self.skip,
            bent=self.output == "tanh",
            learned=self.initial == "learned",
            plain=self.conditioning is None,
        )
        return self._whole(module, ctx)
