"""The `ttfilm` conditioning: `tfilm` through a bottleneck."""

from __future__ import annotations

from collections.abc import Sequence
from itertools import pairwise
from typing import TYPE_CHECKING

import attrs

from fxkit.spec import opt
from fxkit_neural._pooled import Pooled

if TYPE_CHECKING:
    from torch import nn

    from fxkit.context import BuildContext
    from fxkit.protocols import Conditioning
    from fxkit.traits import ConditioningTraits


@attrs.frozen(kw_only=True)
class TTFiLM(Pooled):
    """Scale and shift each channel by a tiny LSTM that follows a few mixtures of the layer's maxima.

    The tiny form of `tfilm` in NablAFx (Comunità, Steinmetz and Reiss, 2025): the maxima are mixed down,
    an LSTM as wide as that follows them, and a perceptron leads to scales and shifts. The published one
    ends in a ReLU, so that neither is ever negative; around one, as by default, it ends without.
    """

    bottleneck: int = opt(4, ge=1, le=256, help="mixtures of maxima, and units per LSTM layer")
    hidden: tuple[int, ...] = opt(
        (16, 32), ge=1, le=1024, help="units of the layers after the LSTM, with ReLU"
    )
    around_one: bool = opt(True, help="scale by 1 more, and end without ReLU; published is false")

    @classmethod
    def presets(cls) -> dict[str, dict[str, object]]:
        """Return the published form."""
        published = {"bottleneck": 4, "hidden": (16, 32), "block": 128, "layers": 1}
        return {"published": {**published, "lookahead": True, "around_one": False}}

    @classmethod
    def examples(cls) -> tuple[TTFiLM, ...]:
        """Return the forms that differ in what they promise."""
        return (
            cls(block=48),
            cls(block=48, size=2, around_one=False),
            cls(block=48, lookahead=True, layers=2),
        )

    def traits(self, ctx: BuildContext, widths: Sequence[int]) -> ConditioningTraits:
        """Declare what runs once a block for each layer, and one product to scale each channel."""
        lstm = self._lstm_macs(self.bottleneck, self.bottleneck)
        inner = sum(a * b for a, b in pairwise((self.bottleneck, *self.hidden)))
        last = (self.hidden or (self.bottleneck,))[-1]
        ends = sum(width + (self.bottleneck + 2 * last) * width / self.block for width in widths)
        return self._pooling(ends + len(widths) * (lstm + inner / self.block))

    def build(self, ctx: BuildContext, widths: Sequence[int]) -> Conditioning:
        """Build the module."""
        from torch import nn

        from fxkit_neural._pooled_lstm import PooledLSTM
        from fxkit_neural._tfilm import TFiLMModule

        narrow = self.bottleneck
        lstms = [
            PooledLSTM(narrow, self.size, narrow, self.layers, self.block, lookahead=self.lookahead)
            for _ in widths
        ]
        squeezes = [nn.Conv1d(width, narrow, 1) for width in widths]
        heads = [self._head(2 * width) for width in widths]
        return TFiLMModule(widths, lstms, squeezes, heads, around_one=self.around_one)

    def _head(self, outputs: int) -> nn.Module:
        from torch import nn

        stack: list[nn.Module] = []
        for pair in pairwise((self.bottleneck, *self.hidden, outputs)):
            stack += [nn.Conv1d(*pair, 1), nn.ReLU()]
        return nn.Sequential(*(stack[:-1] if self.around_one else stack))
