"""The `loudness` feature: A-weighted level."""

from __future__ import annotations

from typing import TYPE_CHECKING

import attrs

from fxkit.spec import opt

if TYPE_CHECKING:
    from fxkit.context import BuildContext
    from fxkit.protocols import Feature


@attrs.frozen(kw_only=True)
class Loudness:
    """Measure the A-weighted level in dB.

    Mean power per frame after the A-weighting of IEC 61672; a sine of amplitude 1 at 1 kHz reads 0 dB.
    Channels are averaged first.
    """

    window: float = opt(0.032, unit="s", ge=0.002, le=1, help="length of the Hann window of a frame")
    floor: float = opt(-80.0, unit="dB", ge=-160, le=-20, help="level that silence reads")

    def dims(self, ctx: BuildContext) -> int:
        """Return 1: the level in dB."""
        return 1

    def build(self, ctx: BuildContext) -> Feature:
        """Build the extractor."""
        from fxkit_features._loudness import LoudnessExtractor

        return LoudnessExtractor(self, ctx.sample_rate, ctx.hop)
