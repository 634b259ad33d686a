"""The `transformer` processor: a short convolutional path that attention over patches steers."""

from __future__ import annotations

from collections.abc import Iterator, Mapping
from typing import TYPE_CHECKING, Any

import attrs

from fxkit.spec import opt
from fxkit.traits import Traits
from fxkit_neural._conditioned import Conditioned, conditionings

if TYPE_CHECKING:
    from fxkit.context import BuildContext
    from fxkit.protocols import Processor


@attrs.frozen(kw_only=True)
class Transformer(Conditioned):
    """Model a device by a causal transformer over patches that steers short gated convolutions.

    Each patch of `patch` samples becomes one token as soon as it is complete: its samples and its level,
    through a small perceptron. Tokens attend to the last `window` of them (Vaswani et al., "Attention is all
    you need", 2017) with rotary positions (Su et al., "RoFormer", 2021), so that only distances count and
    the model runs for ever. The audio itself goes through gated convolutions (van den Oord et al.,
    "WaveNet", 2016, eq. 3): what the tokens say is added before each gate, moving in straight lines from
    token to token, and sets the gain of the dry path. Sound passes without delay; what tokens tell acts one
    to two patches later, which the convolutions' own memory should span.
    """

    patch: int = opt(32, unit="samples", ge=4, le=4096, help="samples per token")
    window: int = opt(48, unit="tokens", ge=2, le=4096, help="tokens that one attends to, itself included")
    dim: int = opt(24, ge=2, le=512, help="size of a token; a multiple of twice the heads")
    heads: int = opt(2, ge=1, le=32, help="heads of attention")
    layers: int = opt(2, ge=1, le=16, help="layers of attention and perceptron")
    channels: int = opt(12, ge=1, le=256, help="channels of the convolutional path")
    blocks: int = opt(4, ge=1, le=16, help="gated convolutions in series")
    kernel: int = opt(5, ge=2, le=64, help="taps per convolution")
    growth: int = opt(4, ge=1, le=16, help="factor between the dilations of successive convolutions")
    skip: bool = opt(True, help="add the input, with a gain that the tokens move, to the output")
    conditioning: Any = opt(None, kind="conditionings", help="how a condition acts on the convolutions")

    @classmethod
    def presets(cls) -> Mapping[str, Mapping[str, Any]]:
        """Return the sizes that have a name."""
        small = {"patch": 32, "window": 48, "dim": 24, "heads": 2, "layers": 2, "channels": 12}
        medium = {"patch": 32, "window": 96, "dim": 48, "heads": 4, "layers": 3, "channels": 20}
        return {"small": small, "medium": medium}

    @classmethod
    def examples(cls) -> tuple[Transformer, ...]:
        """Return the forms that differ in what they promise."""
        small = cls(patch=8, window=6, layers=1, blocks=2, channels=4)
        return (
            cls(),
            attrs.evolve(small, skip=False),
            cls(patch=16, window=4, blocks=1),
            *(attrs.evolve(small, conditioning=one) for one in conditionings()),
        )

    @property
    def dilations(self) -> tuple[int, ...]:
        """Return the distance between taps in each convolution, in samples."""
        return tuple(self.growth**block for block in range(self.blocks))

    @property
    def widths(self) -> tuple[int, ...]:
        """Return the channels before each gate."""
        return (2 * self.channels,) * self.blocks

    def problems(self) -> Iterator[tuple[str, str]]:
        """Refuse heads whose share of a token cannot be turned in pairs."""
        if self.dim % (2 * self.heads):
            yield "dim", f"{self.dim} is not a multiple of {2 * self.heads}, twice the heads"

    def traits(self, ctx: BuildContext) -> Traits:
        """Declare the memory of attention over whole patches and of the convolutions behind it."""
        condition = self._condition(ctx)
        attended = (3 + self.layers * (self.window - 1)) * self.patch
        field = attended + (self.kernel - 1) * sum(self.dilations[1:])
        return Traits(
            autocast=True,
            receptive_field=self._memory(ctx, field),
            latency=condition.latency,
            macs=self._macs(ctx) + condition.macs,
        )

    def build(self, ctx: BuildContext) -> Processor:
        """Build the module for the channels of `ctx`."""
        from fxkit_neural._transformer import Sizes, TransformerModule

        sizes = Sizes(
            inputs=self._reads(ctx),
            outputs=ctx.channels,
            patch=self.patch,
            window=self.window,
            dim=self.dim,
            heads=self.heads,
            layers=self.layers,
            channels=self.channels,
            kernel=self.kernel,
            dilations=self.dilations,
            skip=self.skip,
        )
        conditioning = self._build_conditioning(ctx)
        module = TransformerModule(sizes, conditioning, fused=self.conditioning is None)
        return self._whole(module, ctx)

    def _macs(self, ctx: BuildContext) -> float:
        read, wide = self._reads(ctx), 2 * self.channels
        moved = self.blocks * wide + (ctx.channels if self.skip else 0)
        layer = 8 * self.dim**2 + 2 * self.window * self.dim
        token = (read * (self.patch + 1) + self.dim + moved) * self.dim + self.layers * layer
        taps = self.blocks * self.channels * wide * self.kernel + (self.blocks - 1) * self.channels**2
        return token / self.patch + taps + self.channels * (read + ctx.channels)
