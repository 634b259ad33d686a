"""The filtered-noise source: white noise behind a filter that moves from frame to frame."""

from __future__ import annotations

from collections.abc import Sequence
from typing import TYPE_CHECKING

import attrs

from fxkit.context import BuildContext
from fxkit.parameter import Parameter
from fxkit.spec import opt
from fxkit.traits import Traits

if TYPE_CHECKING:
    from fxkit_synth._filtered_noise import FilteredNoiseModule


@attrs.frozen(kw_only=True)
class FilteredNoise:
    """Make noise of a given spectrum: breath, bow, room (Engel et al., DDSP, 2020, section 3.3).

    The filters have zero phase and no latency. In training every call draws new noise from torch's
    generator; otherwise the noise depends on the run's seed and the position alone, so that a render is
    repeatable.
    """

    bands: int = opt(65, ge=2, le=1025, help="points of the spectrum from 0 Hz to half the sample rate")

    def parameters(self, ctx: BuildContext) -> Sequence[Parameter]:
        """Declare the spectrum, one value per band and frame."""
        spectrum = Parameter(
            name="magnitudes", low=0.0, high=1.0, default=1e-3, mapping="exp-sigmoid", size=self.bands,
            rate="frame", help="gain of each band on noise of amplitude one (RMS 0.577)",
        )  # fmt: skip
        return (spectrum,)

    def traits(self, ctx: BuildContext) -> Traits:
        """Declare a source without delay."""
        return Traits(source=True)

    def build(self, ctx: BuildContext) -> FilteredNoiseModule:
        """Build the module."""
        from fxkit_synth._filtered_noise import FilteredNoiseModule

        return FilteredNoiseModule(ctx.hop, ctx.target_channels, ctx.seed)
