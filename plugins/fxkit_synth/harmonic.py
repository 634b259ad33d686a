"""The harmonic source: a tone of partials at whole multiples of one pitch."""

from __future__ import annotations

from collections.abc import Sequence
from typing import TYPE_CHECKING

import attrs

from fxkit.context import BuildContext
from fxkit.parameter import Parameter
from fxkit.spec import opt
from fxkit.traits import Traits

if TYPE_CHECKING:
    from fxkit_synth._harmonic import HarmonicModule

LOWEST_F0 = 20.0
HIGHEST_SHARE = 0.45


@attrs.frozen(kw_only=True)
class Harmonic:
    """Make a harmonic tone from pitch, level and spectrum (Engel et al., DDSP, 2020, section 3.2)."""

    harmonics: int = opt(60, ge=1, le=1024, help="number of partials; those that would alias stay silent")

    def parameters(self, ctx: BuildContext) -> Sequence[Parameter]:
        """Declare pitch, level and the shares of the partials, one value per frame each."""
        sawtooth = tuple(1 / number for number in range(1, self.harmonics + 1))
        return (
            Parameter(
                name="f0", low=LOWEST_F0, high=HIGHEST_SHARE * ctx.sample_rate, default=220.0, unit="Hz",
                mapping="log", rate="frame", help="pitch of the tone",
            ),
            Parameter(
                name="amplitude", low=0.0, high=2.0, default=0.1, mapping="exp-sigmoid", rate="frame",
                help="sum of the amplitudes of all partials",
            ),
            Parameter(
                name="distribution", low=1e-7, high=1.0, mapping="exp-sigmoid",
                size=self.harmonics, rate="frame", default=sawtooth,
                help="share of each partial, before the audible ones are scaled to sum to one",
            ),
        )  # fmt: skip

    def traits(self, ctx: BuildContext) -> Traits:
        """Declare a source without delay."""
        return Traits(source=True)

    def build(self, ctx: BuildContext) -> HarmonicModule:
        """Build the module."""
        from fxkit_synth._harmonic import HarmonicModule

        return HarmonicModule(ctx.sample_rate, ctx.hop, ctx.target_channels)
