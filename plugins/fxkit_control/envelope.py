"""The `envelope` controller: parameters that follow the level of the audio, without a network."""

from __future__ import annotations

from typing import TYPE_CHECKING, Literal

import attrs

from fxkit.spec import opt
from fxkit.traits import ControlTraits

if TYPE_CHECKING:
    from fxkit.context import BuildContext
    from fxkit.protocols import Controller


@attrs.frozen(kw_only=True)
class Envelope:
    """Follow the level of the audio by detectors with learned attack, release and threshold.

    Each detector smooths the magnitude (Giannoulis, Massberg and Reiss, JAES 2012, eq. 16); by how many
    dB it passes its threshold moves each value by a learned depth. Knobs, if the data has them, shift
    the values and the depths. Strictly causal: the frame at sample j * hop comes from samples before
    (j - 1) * hop, because the samples that lead up to it are already interpolated towards it.
    """

    detectors: int = opt(1, ge=1, le=16, help="number of detectors, each with its own times and threshold")
    rate: Literal["frame", "sample"] = opt(
        "frame", choices=("frame", "sample"), help="give values on the run's hop, or at every sample"
    )

    def traits(self, ctx: BuildContext) -> ControlTraits:
        """Declare values made from the audio, and from the knobs where there are any."""
        return ControlTraits(
            rate=self.rate,
            hop=ctx.hop if self.rate == "frame" else 0,
            uses=("audio", "knobs") if ctx.knobs else ("audio",),
        )

    def build(self, ctx: BuildContext) -> Controller:
        """Build the module for the parameters and knobs of `ctx`."""
        from fxkit_control._envelope import EnvelopeModule

        return EnvelopeModule(
            ctx.parameters,
            len(ctx.knobs),
            detectors=self.detectors,
            sample_rate=ctx.sample_rate,
            hop=ctx.hop if self.rate == "frame" else 0,
        )
