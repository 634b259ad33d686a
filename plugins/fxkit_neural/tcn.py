"""The `tcn` processor: dilated convolutions with residual connections."""

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
class TCN:
    """Model a device by a temporal convolutional network.

    Blocks of dilated convolution, tanh and a residual path with one gain per channel, then a mix down,
    as in Steinmetz and Reiss, "Efficient neural networks for real-time modeling of analog dynamic
    range compression" (2022). The defaults are the TCN-45-S of Comunità et al. (2025): 7 457 weights
    and 2 047 samples of memory.
    """

    blocks: int = opt(5, ge=1, le=32, help="blocks in series")
    kernel: int = opt(7, ge=2, le=255, help="taps per convolution")
    growth: int = opt(4, ge=1, le=64, help="factor between the dilations of successive blocks")
    channels: int = opt(16, ge=1, le=512, help="channels inside")
    bias: bool = opt(True, help="give each convolution a bias")
    residual: bool = opt(True, help="add each block's input, with a gain per channel, to its output")
    causal: bool = opt(
        True, help="use the past only; else each convolution is centred and the output late by its future"
    )
    conditions: int = opt(0, ge=0, le=256, help='values of the parameter "condition", read beside the audio')

    @property
    def dilations(self) -> tuple[int, ...]:
        """Return the distance between taps in each block, in samples."""
        return tuple(self.growth**block for block in range(self.blocks))

    @property
    def look_ahead(self) -> tuple[int, ...]:
        """Return how many samples of the future each block reads."""
        return tuple(0 if self.causal else (self.kernel - 1) * step // 2 for step in self.dilations)

    @classmethod
    def examples(cls) -> tuple[TCN, ...]:
        """Return the forms that differ in what they promise."""
        return (
            cls(),
            cls(conditions=2),
            cls(causal=False),
            cls(blocks=3, kernel=4, growth=2, residual=False),
        )

    def parameters(self, ctx: BuildContext) -> tuple[Parameter, ...]:
        """Declare "condition" when the network has one."""
        return condition_parameters(self.conditions)

    def traits(self, ctx: BuildContext) -> Traits:
        """Declare the memory and the latency that follow from kernel and dilations."""
        memory = 1 + (self.kernel - 1) * sum(self.dilations)
        return Traits(receptive_field=memory, latency=sum(self.look_ahead))

    def build(self, ctx: BuildContext) -> Processor:
        """Build the module for the channels of `ctx`."""
        from fxkit_neural._tcn import Block, TCNModule

        widths = (ctx.channels + self.conditions, *[self.channels] * self.blocks)
        blocks = [
            Block(inputs, self.channels, self.kernel, dilation, delay, self.bias, self.residual)
            for inputs, dilation, delay in zip(widths, self.dilations, self.look_ahead, strict=False)
        ]
        return TCNModule(blocks, self.channels, ctx.channels)
