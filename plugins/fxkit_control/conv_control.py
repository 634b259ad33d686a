"""The `conv-control` controller: parameters that follow the recent level of the audio."""

from __future__ import annotations

from typing import TYPE_CHECKING

import attrs

from fxkit.spec import opt
from fxkit.traits import ControlTraits

if TYPE_CHECKING:
    from fxkit.context import BuildContext
    from fxkit.protocols import Controller


@attrs.frozen(kw_only=True)
class ConvControl:
    """Follow the audio by dilated causal convolutions on the level of blocks of `hop` samples.

    Each block yields its root mean square and its largest magnitude, both in decibels; knobs, if the data
    have them, are read beside. A frame hears 1 + (kernel - 1) * sum(dilations) blocks and nothing before
    them: 63 of them for the defaults, 84 ms at a hop of 64 and 48 kHz. Strictly causal: the frame at
    sample j * hop comes from samples before (j - 1) * hop, because the samples that lead up to it are
    already interpolated towards it. Residual dilated convolutions after Bai, Kolter and Koltun (2018),
    section 3.
    """

    channels: int = opt(16, ge=1, le=1024, help="channels of every layer")
    kernel: int = opt(3, ge=2, le=64, help="taps of every layer")
    dilations: tuple[int, ...] = opt(
        (1, 2, 4, 8, 16), unit="blocks", ge=1, le=65536, help="distance between taps, one per layer"
    )
    hop: int | None = opt(
        None, unit="samples", ge=1, le=8192, help="distance between frames; the run's hop when absent"
    )

    def __attrs_post_init__(self) -> None:
        """Refuse an empty list of layers with `ValueError`."""
        if not self.dilations:
            raise ValueError("ConvControl.dilations: needs at least one layer")

    def traits(self, ctx: BuildContext) -> ControlTraits:
        """Declare frames made from the audio, and from the knobs where there are any."""
        hop = self.hop or ctx.hop
        return ControlTraits(
            rate="frame",
            hop=hop,
            uses=("audio", "knobs") if ctx.knobs else ("audio",),
            receptive_field=hop * (1 + (self.kernel - 1) * sum(self.dilations)),
        )

    def build(self, ctx: BuildContext) -> Controller:
        """Build the module for the parameters and knobs of `ctx`."""
        from fxkit_control._conv_control import ConvControlModule

        hop = self.hop or ctx.hop
        return ConvControlModule(
            ctx.parameters, len(ctx.knobs), self.channels, self.kernel, self.dilations, hop
        )
