"""What the conditionings share that pool the signal by blocks."""

from __future__ import annotations

from collections.abc import Sequence
from typing import TYPE_CHECKING

import attrs

from fxkit.spec import opt
from fxkit.traits import ConditioningTraits
from fxkit_neural._condition import condition_parameters

if TYPE_CHECKING:
    from fxkit.context import BuildContext
    from fxkit.parameter import Parameter


@attrs.frozen(kw_only=True)
class Pooled:
    """Declare the options of a conditioning that runs an LSTM over blocks of the signal."""

    size: int = opt(0, ge=0, le=256, help='values of the parameter "condition", read beside the maxima')
    block: int = opt(128, ge=2, le=65536, unit="samples", help="samples that share one step of the LSTM")
    layers: int = opt(1, ge=1, le=8, help="LSTM layers")
    lookahead: bool = opt(
        False,
        help="pool the block that is acted on, as published, and be late by it; else the one before",
    )

    def parameters(self, ctx: BuildContext, widths: Sequence[int]) -> tuple[Parameter, ...]:
        """Declare "condition" when it reads one."""
        return condition_parameters(self.size)

    def joined(self, ctx: BuildContext) -> int:
        """Add no channels."""
        return 0

    def _pooling(self, macs: float) -> ConditioningTraits:
        """Declare an unbounded memory, what is read of the future, and `macs` per sample."""
        ahead = self.block - 1 if self.lookahead else 0
        return ConditioningTraits(recursive=True, lookahead=ahead, block=self.block, macs=macs)

    def _lstm_macs(self, inputs: int, hidden: int) -> float:
        """Return the products of the LSTM per sample."""
        widths = (inputs + self.size, *[hidden] * (self.layers - 1))
        return sum(4.0 * hidden * (width + hidden) for width in widths) / self.block
