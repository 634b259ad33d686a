"""The `tvfilm` conditioning: scales and shifts that follow what the network reads."""

from __future__ import annotations

from collections.abc import Sequence
from typing import TYPE_CHECKING

import attrs

from fxkit.spec import opt
from fxkit_neural._pooled import Pooled

if TYPE_CHECKING:
    from fxkit.context import BuildContext
    from fxkit.protocols import Conditioning
    from fxkit.traits import ConditioningTraits


@attrs.frozen(kw_only=True)
class TVFiLM(Pooled):
    """Scale and shift each channel of every layer by one LSTM that follows the level of the audio.

    Time-varying modulation of NablAFx (Comunità, Steinmetz and Reiss, 2025): the LSTM reads the largest
    magnitude of each block of the audio, and the condition; one linear layer for each layer of the network
    leads from it to scales and shifts. By default the blocks before decide, so that nothing is ahead of
    its time.
    """

    hidden: int = opt(32, ge=1, le=1024, help="units per LSTM layer")
    around_one: bool = opt(
        True, help="scale by 1 more, so that training starts near the plain network; published is false"
    )

    @classmethod
    def presets(cls) -> dict[str, dict[str, object]]:
        """Return the published form."""
        return {
            "published": {"hidden": 32, "block": 128, "layers": 1, "lookahead": True, "around_one": False}
        }

    @classmethod
    def examples(cls) -> tuple[TVFiLM, ...]:
        """Return the forms that differ in what they promise."""
        return (
            cls(block=48),
            cls(block=48, size=2, around_one=False),
            cls(block=48, lookahead=True, layers=2),
        )

    def traits(self, ctx: BuildContext, widths: Sequence[int]) -> ConditioningTraits:
        """Declare what runs once a block, and one product to scale each channel."""
        heads = sum(width + 2 * width * self.hidden / self.block for width in widths)
        return self._pooling(heads + self._lstm_macs(ctx.channels, self.hidden))

    def build(self, ctx: BuildContext, widths: Sequence[int]) -> Conditioning:
        """Build the module."""
        from fxkit_neural._pooled_lstm import PooledLSTM
        from fxkit_neural._tvfilm import TVFiLMModule

        lstm = PooledLSTM(
            ctx.channels, self.size, self.hidden, self.layers, self.block, lookahead=self.lookahead
        )
        return TVFiLMModule(widths, lstm, self.hidden, around_one=self.around_one)
