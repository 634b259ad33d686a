"""The `gcn` processor: gated dilated convolutions that are all heard at the end."""

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
class GCN(Conditioned):
    """Model a device by a gated convolutional network.

    Each block convolves with dilation to twice its channels, multiplies the tanh of one half by the
    sigmoid of the other, mixes that and adds it to what came in; the output mixes what all blocks gave.
    After van den Oord et al., "WaveNet" (2016), section 2.3 and 2.4, in the form of Comunità, Steinmetz and
    Reiss, "NablAFx" (2025). A conditioning acts before each gate.

    The presets are the sizes of that work, named by their memory in milliseconds at 48 kHz: 45-s (16 161
    weights, the defaults), 45-l (17 121), 250-s (30 433), 250-l (39 585), 2500-s (28 641) and 2500-l
    (26 401). The mix of the very last block leads nowhere: its weights count there and are kept, and are
    not trained.
    """

    blocks: int = opt(5, ge=1, le=32, help="blocks in series")
    kernel: int = opt(7, ge=2, le=255, help="taps per convolution")
    growth: int = opt(4, ge=1, le=64, help="factor between the dilations of successive blocks")
    channels: int = opt(16, ge=1, le=512, help="channels inside")
    bias: bool = opt(True, help="give each convolution a bias")
    residual: bool = opt(True, help="add each block's input to its output")
    conditioning: Any = opt(None, kind="conditionings", help="how a condition acts on the blocks")

    @property
    def dilations(self) -> tuple[int, ...]:
        """Return the distance between taps in each block, in samples."""
        return tuple(self.growth**block for block in range(self.blocks))

    @property
    def widths(self) -> tuple[int, ...]:
        """Return the channels of each block before its gate."""
        return (2 * self.channels,) * self.blocks

    @classmethod
    def presets(cls) -> Mapping[str, Mapping[str, Any]]:
        """Return the published sizes."""
        return SIZES

    @classmethod
    def examples(cls) -> tuple[GCN, ...]:
        """Return the forms that differ in what they promise."""
        small = cls(blocks=3, kernel=4, growth=2, channels=4)
        return (
            cls(),
            attrs.evolve(small, residual=False),
            cls(blocks=3, kernel=5, growth=64, channels=4),
            *(attrs.evolve(small, conditioning=one) for one in conditionings()),
        )

    def traits(self, ctx: BuildContext) -> Traits:
        """Declare the memory that follows from kernel and dilations, and the products of all blocks."""
        condition = self._condition(ctx)
        memory = 1 + (self.kernel - 1) * sum(self.dilations)
        taps = sum(2 * self.channels * inputs * self.kernel for inputs in self._inputs(ctx))
        mixes = (self.blocks - 1) * self.channels**2 + self.blocks * self.channels * (1 + ctx.channels)
        return Traits(
            autocast=True,
            receptive_field=self._memory(ctx, memory),
            latency=condition.latency,
            macs=float(taps + mixes) + condition.macs,
        )

    def build(self, ctx: BuildContext) -> Processor:
        """Build the module for the channels of `ctx`."""
        from fxkit_neural._gcn import Block, GCNModule

        blocks = [
            Block(
                inputs,
                self.channels,
                self.kernel,
                dilation,
                self.bias,
                self.residual,
                last=number == self.blocks - 1,
            )
            for number, (inputs, dilation) in enumerate(zip(self._inputs(ctx), self.dilations, strict=True))
        ]
        module = GCNModule(
            blocks,
            self.channels,
            ctx.channels,
            bias=self.bias,
            conditioning=self._build_conditioning(ctx),
            modulated=self.conditioning is not None,
        )
        return self._whole(module, ctx)

    def _inputs(self, ctx: BuildContext) -> tuple[int, ...]:
        """Return the channels that each block reads."""
        return (self._reads(ctx), *(self.channels,) * (self.blocks - 1))
