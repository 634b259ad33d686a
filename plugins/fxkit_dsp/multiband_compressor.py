"""The multiband compressor: one compressor for each band of the spectrum."""

from __future__ import annotations

from collections.abc import Sequence
from typing import TYPE_CHECKING

import attrs

from fxkit.context import BuildContext
from fxkit.parameter import Parameter
from fxkit.spec import opt
from fxkit.traits import Traits
from fxkit_dsp._dynamics import MACS, Dynamics, compression, share_of_wet

if TYPE_CHECKING:
    from fxkit_dsp._multiband_compressor import MultibandCompressorModule

LOWEST = 20.0
# Above this share of the sample rate the bilinear transform squeezes a band to nothing.
HIGHEST_SHARE = 0.45


@attrs.frozen(kw_only=True)
class MultibandCompressor(Dynamics):
    """Split the spectrum and lower in each band what is louder than its threshold.

    Linkwitz-Riley crossovers of 24 dB per octave, whose bands sum flat (Linkwitz, J. Audio Eng. Soc. 1976);
    each band has a compressor of its own (Giannoulis, Massberg and Reiss, J. Audio Eng. Soc. 2012).
    """

    bands: int = opt(3, ge=2, le=8, help="number of bands")

    def parameters(self, ctx: BuildContext) -> Sequence[Parameter]:
        """Declare the crossovers, and each compressor parameter once per band."""
        top = min(20000.0, HIGHEST_SHARE * ctx.sample_rate)
        splits = self.bands - 1
        spread = tuple(
            LOWEST * (top / LOWEST) ** ((split + 1.5) / (self.bands + 1)) for split in range(splits)
        )
        crossover = Parameter(
            name="crossover", low=LOWEST, high=top, default=spread, unit="Hz", mapping="log", size=splits,
            rate="control", help="where one band ends and the next begins",
        )  # fmt: skip
        return (crossover, *compression(self.bands), share_of_wet(), *self.averaging(self.bands))

    def traits(self, ctx: BuildContext) -> Traits:
        """Declare a recursion without delay."""
        splits = self.bands - 1
        filters = 5 * max(2 * splits, splits + 1) * (1 + self.sidechain)
        return Traits(inputs=self.inputs, macs=(filters + MACS) * self.bands * ctx.channels)

    def build(self, ctx: BuildContext) -> MultibandCompressorModule:
        """Build the module."""
        from fxkit_dsp._gain_follower import GainFollower
        from fxkit_dsp._multiband_compressor import MultibandCompressorModule
        from fxkit_signal.dynamics import Design

        design = Design(**self.wiring())
        follower = GainFollower(ctx.sample_rate, design, self.link)
        return MultibandCompressorModule(follower, self.bands, ctx.hop)
