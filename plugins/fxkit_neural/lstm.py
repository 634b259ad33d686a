"""The `lstm` processor: a recurrent network from sample to sample."""

from __future__ import annotations

from typing import TYPE_CHECKING

import attrs

from fxkit.spec import opt
from fxkit.traits import Traits
from fxkit_neural._condition import condition_parameters

if TYPE_CHECKING:
    from fxkit.context import BuildContext
    from fxkit.parameter import Parameter
    from fxkit.protocols import Processor


@attrs.frozen(kw_only=True)
class LSTM:
    """Model a device by a long short-term memory network that runs at the sample rate.

    One sample goes in and one comes out, as in Wright, Damskägg, Juvela and Välimäki, "Real-time guitar
    amplifier emulation with deep learning" (2020): LSTM, linear layer, input added.
    """

    hidden: int = opt(32, ge=1, le=1024, help="units per layer")
    layers: int = opt(1, ge=1, le=8, help="LSTM layers")
    skip: bool = opt(True, help="add the input to the output, so that the network learns the difference")
    conditions: int = opt(0, ge=0, le=256, help='values of the parameter "condition", read beside the audio')

    @classmethod
    def examples(cls) -> tuple[LSTM, ...]:
        """Return the forms that differ in what they promise."""
        return (cls(), cls(conditions=2, layers=2), cls(skip=False))

    def parameters(self, ctx: BuildContext) -> tuple[Parameter, ...]:
        """Declare "condition" when the network has one."""
        return condition_parameters(self.conditions)

    def traits(self, ctx: BuildContext) -> Traits:
        """Declare a causal recursion, and the products of its layers and of the linear one behind them."""
        widths = [ctx.channels + self.conditions] + [self.hidden] * (self.layers - 1)
        gates = sum(4 * self.hidden * (width + self.hidden) for width in widths)
        return Traits(macs=gates + self.hidden * ctx.channels)

    def build(self, ctx: BuildContext) -> Processor:
        """Build the module for the channels of `ctx`."""
        from fxkit_neural._lstm import LSTMModule

        return LSTMModule(ctx.channels, self.hidden, self.layers, self.conditions, self.skip)
