"""The `lru` processor: linear recurrent units between gates."""

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
class LRU(Conditioned):
    """Model a device by linear recurrent units: one set of resonators that all channels share, then gates.

    Each block mixes its channels and bends them by tanh, as devices clip before they filter; drives `modes`
    complex poles by all channels and reads all channels from them (Orvieto, Smith, Gu, Fernando, Gulcehre,
    Pascanu and De, "Resurrecting recurrent neural networks for long sequences", 2023, sections 3.3 and 3.4);
    mixes and gates them (tanh times sigmoid; van den Oord et al., "WaveNet", 2016, equation 2) and adds the
    input. The output is bent once more. S5 (2023) is the same layer on a learned time step; poles that move
    with the input, as in Mamba (2023), are left to gates and conditions. In `s4` each channel has poles of
    its own. Poles cannot leave the unit circle. They start on a ring, with decays evenly on a logarithmic
    scale from 5 Hz up and no strong resonances, as analog filters have them, each with the same gain at its
    frequency: audio, unlike the white noise of that paper, is strongest where poles are slow. They train at
    half the learning rate, without weight decay.
    """

    blocks: int = opt(3, ge=1, le=64, help="blocks in series")
    modes: int = opt(6, ge=1, le=1024, help="complex poles of each block")
    channels: int = opt(12, ge=1, le=512, help="channels inside")
    conditioning: Any = opt(None, kind="conditionings", help="how a condition acts on the blocks")

    @classmethod
    def presets(cls) -> Mapping[str, Mapping[str, Any]]:
        """Return the sizes that have a name: of as many weights as those of `s4`."""
        return {
            "small": {"blocks": 3, "modes": 6, "channels": 12},
            "large": {"blocks": 6, "modes": 20, "channels": 20},
        }

    @classmethod
    def examples(cls) -> tuple[LRU, ...]:
        """Return the forms that differ in what they promise."""
        small = cls(blocks=2, modes=3, channels=4)
        return (cls(), *(attrs.evolve(small, conditioning=one) for one in conditionings()))

    @property
    def widths(self) -> tuple[int, ...]:
        """Return the channels of each block where a condition acts: both halves of the gate."""
        return (2 * self.channels,) * self.blocks

    def traits(self, ctx: BuildContext) -> Traits:
        """Declare a recursion, and what one sample costs it."""
        condition = self._condition(ctx)
        wide = self.channels
        block = 4 * self.modes * (wide + 1) + wide * (3 * wide + 2)
        ends = wide * (ctx.channels + self._reads(ctx))
        return Traits(latency=condition.latency, macs=self.blocks * block + ends + condition.macs)

    def build(self, ctx: BuildContext) -> Processor:
        """Build the module for the channels and the sample rate of `ctx`."""
        import math

        from fxkit_neural._lru import LOWEST_HZ, LRUBlock
        from fxkit_neural._state_space import StateSpaceModule

        sizes = self._reads(ctx), self.channels, ctx.channels
        lowest = 2 * math.pi * LOWEST_HZ / ctx.sample_rate
        blocks = [LRUBlock(self.channels, self.modes, lowest) for _ in range(self.blocks)]
        conditioning = self._build_conditioning(ctx)
        module = StateSpaceModule(sizes, blocks, conditioning, bent=True)
        return self._whole(module, ctx)
