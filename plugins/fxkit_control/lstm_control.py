"""The `lstm-control` controller: parameters that follow the level of the audio."""

from __future__ import annotations

from typing import TYPE_CHECKING

import attrs

from fxkit.spec import opt
from fxkit.traits import ControlTraits

if TYPE_CHECKING:
    from fxkit.context import BuildContext
    from fxkit.protocols import Controller


@attrs.frozen(kw_only=True)
class LSTMControl:
    """Follow the audio by an LSTM on the level of blocks of `hop` samples.

    Each block yields its root mean square and its largest magnitude; knobs, if the data has them, are
    read beside. Strictly causal: the frame at sample j * hop comes from samples before (j - 1) * hop,
    because the samples that lead up to it are already interpolated towards it.
    """

    hidden: int = opt(16, ge=1, le=1024, help="units per layer")
    layers: int = opt(1, ge=1, le=8, help="LSTM layers")
    hop: int | None = opt(
        None, unit="samples", ge=1, le=8192, help="distance between frames; the run's hop when absent"
    )

    def traits(self, ctx: BuildContext) -> ControlTraits:
        """Declare frames made from the audio, and from the knobs where there are any."""
        return ControlTraits(
            rate="frame", hop=self.hop or ctx.hop, uses=("audio", "knobs") if ctx.knobs else ("audio",)
        )

    def build(self, ctx: BuildContext) -> Controller:
        """Build the module for the parameters and knobs of `ctx`."""
        from fxkit_control._lstm_control import LSTMControlModule

        return LSTMControlModule(
            ctx.parameters, len(ctx.knobs), self.hidden, self.layers, self.hop or ctx.hop
        )
