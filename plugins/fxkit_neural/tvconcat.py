"""The `tvconcat` conditioning: what follows the level of the audio, beside the audio."""

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
class TVConcat(Pooled):
    """Let a network read, beside the audio, an LSTM that follows the audio's level and the condition.

    The time-varying conditioning of the LSTMs in NablAFx (Comunità, Steinmetz and Reiss, 2025): the LSTM
    reads the largest magnitude of each block of the audio, and its output is held for a block. By default
    the blocks before decide, so that nothing is ahead of its time.
    """

    hidden: int = opt(16, ge=1, le=256, help="units per LSTM layer: channels that the network reads more")

    @classmethod
    def presets(cls) -> dict[str, dict[str, object]]:
        """Return the published form."""
        return {"published": {"hidden": 16, "block": 128, "layers": 1, "lookahead": True}}

    @classmethod
    def examples(cls) -> tuple[TVConcat, ...]:
        """Return the forms that differ in what they promise."""
        return (cls(block=48), cls(block=48, size=2), cls(block=48, lookahead=True, layers=2))

    def joined(self, ctx: BuildContext) -> int:
        """Return one channel for each unit."""
        return self.hidden

    def traits(self, ctx: BuildContext, widths: Sequence[int]) -> ConditioningTraits:
        """Declare what runs once a block."""
        return self._pooling(self._lstm_macs(ctx.channels, self.hidden))

    def build(self, ctx: BuildContext, widths: Sequence[int]) -> Conditioning:
        """Build the module."""
        from fxkit_neural._pooled_lstm import PooledLSTM
        from fxkit_neural._tvconcat import TVConcatModule

        lstm = PooledLSTM(
            ctx.channels, self.size, self.hidden, self.layers, self.block, lookahead=self.lookahead
        )
        return TVConcatModule(lstm)
