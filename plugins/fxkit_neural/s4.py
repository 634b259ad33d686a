"""The `s4` processor: filters with learned poles between saturating layers."""

from __future__ import annotations

from collections.abc import Mapping
from typing import TYPE_CHECKING, Any

import attrs

from fxkit.spec import opt
from fxkit.traits import Traits
from fxkit_neural._conditioned import Conditioned, conditionings

if TYPE_CHECKING:
    from fxkit.context import BuildContext
    from fxkit.protocols import Processor


@attrs.frozen(kw_only=True)
class S4(Conditioned):
    """Model a device by structured state spaces: banks of resonators between saturating layers.

    Each block mixes its channels, bends them by tanh, filters each channel by `modes` pairs of complex poles,
    bends again, and adds its input with a gain per channel; the output is bent once more. The filters are S4D
    (Gu, Gupta, Goel and Ré, "On the parameterization and initialization of diagonal state space models",
    2022) with a zero-order hold, the network that of Comunità, Steinmetz and Reiss, "NablAFx" (2025), which
    did best on most of its devices. A pole forgets within a few samples or within seconds, as it learns, so
    one network reaches from clipping to slow compression. Poles count time in samples: a model is of one
    sample rate. Poles and steps train at half the learning rate, without weight decay.

    The presets are the published sizes: s (2 353 weights, the defaults) and l (18 993).
    """

    blocks: int = opt(4, ge=1, le=64, help="blocks in series")
    modes: int = opt(4, ge=1, le=256, help="pairs of poles of each filter")
    channels: int = opt(16, ge=1, le=512, help="channels inside")
    residual: bool = opt(True, help="add each block's input, with a gain per channel, to its output")
    conditioning: Any = opt(None, kind="conditionings", help="how a condition acts on the blocks")

    @classmethod
    def presets(cls) -> Mapping[str, Mapping[str, Any]]:
        """Return the published sizes."""
        return {"s": {"blocks": 4, "modes": 4}, "l": {"blocks": 8, "modes": 32}}

    @classmethod
    def examples(cls) -> tuple[S4, ...]:
        """Return the forms that differ in what they promise."""
        small = cls(blocks=2, modes=3, channels=4)
        return (
            cls(),
            cls(blocks=2, modes=33, channels=3, residual=False),
            *(attrs.evolve(small, conditioning=one) for one in conditionings()),
        )

    @property
    def widths(self) -> tuple[int, ...]:
        """Return the channels of each block where a condition acts."""
        return (self.channels,) * self.blocks

    def traits(self, ctx: BuildContext) -> Traits:
        """Declare a recursion, and what one sample costs it."""
        condition = self._condition(ctx)
        block = self.channels * (self.channels + 6 * self.modes + 1 + int(self.residual))
        ends = self.channels * (ctx.channels + self._reads(ctx))
        return Traits(latency=condition.latency, macs=self.blocks * block + ends + condition.macs)

    def build(self, ctx: BuildContext) -> Processor:
        """Build the module for the channels of `ctx`."""
        from fxkit_neural._s4 import S4Block
        from fxkit_neural._state_space import StateSpaceModule

        sizes = self._reads(ctx), self.channels, ctx.channels
        blocks = [S4Block(self.channels, self.modes, self.residual) for _ in range(self.blocks)]
        conditioning = self._build_conditioning(ctx)
        module = StateSpaceModule(sizes, blocks, conditioning, bent=True)
        return self._whole(module, ctx)
