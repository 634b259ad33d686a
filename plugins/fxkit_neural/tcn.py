"""The `tcn` processor: dilated convolutions with residual connections."""

from __future__ import annotations

from collections.abc import Mapping
from typing import TYPE_CHECKING, Any

import attrs

from fxkit.spec import opt
from fxkit.traits import Traits
from fxkit_neural._conditioned import Conditioned, conditionings
from fxkit_neural._dilated_network import SIZES

if TYPE_CHECKING:
    from fxkit.context import BuildContext
    from fxkit.protocols import Processor


@attrs.frozen(kw_only=True)
class TCN(Conditioned):
    """Model a device by a temporal convolutional network.

    Blocks of dilated convolution, tanh and a residual path with one gain per channel, then a mix down,
    as in Steinmetz and Reiss, "Efficient neural networks for real-time modeling of analog dynamic
    range compression" (2022). A conditioning acts before each tanh.

    The presets are the sizes of Comunità, Steinmetz and Reiss, "NablAFx" (2025), named by their memory in
    milliseconds at 48 kHz: 45-s (7 457 weights, the defaults), 45-l (7 297), 250-s (14 465), 250-l (18 401),
    2500-s (13 697) and 2500-l (11 937); their output is `bounded`.
    """

    blocks: int = opt(5, ge=1, le=32, help="blocks in series")
    kernel: int = opt(7, ge=2, le=255, help="taps per convolution")
    growth: int = opt(4, ge=1, le=64, help="factor between the dilations of successive blocks")
    channels: int = opt(16, ge=1, le=512, help="channels inside")
    bias: bool = opt(True, help="give each convolution a bias")
    residual: bool = opt(True, help="add each block's input, with a gain per channel, to its output")
    bounded: bool = opt(False, help="bend the output by tanh, so that it stays between -1 and 1")
    causal: bool = opt(
        True, help="use the past only; else each convolution is centred and the output late by its future"
    )
    conditioning: Any = opt(None, kind="conditionings", help="how a condition acts on the blocks")

    @property
    def dilations(self) -> tuple[int, ...]:
        """Return the distance between taps in each block, in samples."""
        return tuple(self.growth**block for block in range(self.blocks))

    @property
    def look_ahead(self) -> tuple[int, ...]:
        """Return how many samples of the future each block reads."""
        return tuple(0 if self.causal else (self.kernel - 1) * step // 2 for step in self.dilations)

    @property
    def widths(self) -> tuple[int, ...]:
        """Return the channels of each block before its tanh."""
        return (self.channels,) * self.blocks

    @classmethod
    def presets(cls) -> Mapping[str, Mapping[str, Any]]:
        """Return the published sizes."""
        return {name: {**sizes, "bounded": True} for name, sizes in SIZES.items()}

    @classmethod
    def examples(cls) -> tuple[TCN, ...]:
        """Return the forms that differ in what they promise."""
        small = cls(blocks=3, kernel=4, growth=2, channels=4)
        return (
            cls(),
            cls(causal=False),
            attrs.evolve(small, residual=False, bounded=True),
            cls(blocks=3, kernel=5, growth=64, channels=4),
            *(attrs.evolve(small, conditioning=one) for one in conditionings()),
        )

    def traits(self, ctx: BuildContext) -> Traits:
        """Declare the memory and the latency that follow from kernel and dilations."""
        condition = self._condition(ctx)
        memory = 1 + (self.kernel - 1) * sum(self.dilations)
        return Traits(
            autocast=True,
            receptive_field=self._memory(ctx, memory),
            latency=sum(self.look_ahead) + condition.latency,
            macs=self._macs(ctx) + condition.macs,
        )

    def build(self, ctx: BuildContext) -> Processor:
        """Build the module for the channels of `ctx`."""
        from fxkit_neural._tcn import Block, TCNModule

        blocks = [
            Block(inputs, self.channels, self.kernel, dilation, delay, self.bias, self.residual)
            for inputs, dilation, delay in zip(
                self._inputs(ctx), self.dilations, self.look_ahead, strict=True
            )
        ]
        module = TCNModule(
            blocks,
            self.channels,
            ctx.channels,
            bounded=self.bounded,
            conditioning=self._build_conditioning(ctx),
            modulated=self.conditioning is not None,
        )
        return self._whole(module, ctx)

    def _inputs(self, ctx: BuildContext) -> tuple[int, ...]:
        """Return the channels that each block reads."""
        return (self._reads(ctx), *self.widths[1:])

    def _macs(self, ctx: BuildContext) -> float:
        taps = sum(self.channels * inputs * self.kernel for inputs in self._inputs(ctx))
        first = self._inputs(ctx)[0]
        paths = self.channels * (self.blocks - 1 + (first if first != self.channels else 1))
        return float(taps + (paths if self.residual else 0) + self.channels * ctx.channels)
