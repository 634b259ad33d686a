"""The `tfilm` conditioning: scales and shifts that follow each layer's own signal."""

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
class TFiLM(Pooled):
    """Scale and shift each channel by an LSTM that follows the layer's maxima, block by block.

    Temporal feature-wise linear modulation of Birnbaum, Kuleshov, Enam, Koh and Ermon, "Temporal FiLM"
    (2019), as Comunità, Steinmetz, Phan and Reiss, "Modelling black-box audio effects with time-varying
    feature modulation" (2023) have it: each layer has an LSTM of twice its channels. It gives a network
    a memory of seconds at little cost. By default the blocks before decide, so that nothing is ahead of
    its time.
    """

    around_one: bool = opt(
        True, help="scale by 1 more, so that training starts near the plain network; published is false"
    )

    @classmethod
    def presets(cls) -> dict[str, dict[str, object]]:
        """Return the published form."""
        return {"published": {"block": 128, "layers": 1, "lookahead": True, "around_one": False}}

    @classmethod
    def examples(cls) -> tuple[TFiLM, ...]:
        """Return the forms that differ in what they promise."""
        return (
            cls(block=48),
            cls(block=48, size=2, around_one=False),
            cls(block=48, lookahead=True, layers=2),
        )

    def traits(self, ctx: BuildContext, widths: Sequence[int]) -> ConditioningTraits:
        """Declare the LSTM of each layer, and one product to scale each channel."""
        return self._pooling(sum(width + self._lstm_macs(width, 2 * width) for width in widths))

    def build(self, ctx: BuildContext, widths: Sequence[int]) -> Conditioning:
        """Build the module."""
        from fxkit_neural._pooled_lstm import PooledLSTM
        from fxkit_neural._tfilm import TFiLMModule

        lstms = [
            PooledLSTM(width, self.size, 2 * width, self.layers, self.block, lookahead=self.lookahead)
            for width in widths
        ]
        return TFiLMModule(widths, lstms, around_one=self.around_one)
