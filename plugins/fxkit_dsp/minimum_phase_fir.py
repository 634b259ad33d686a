"""The `minimum-phase-fir`: an equaliser of many bands without phase of its own."""

from __future__ import annotations

from collections.abc import Sequence
from typing import TYPE_CHECKING

import attrs

from fxkit.context import BuildContext
from fxkit.parameter import Parameter
from fxkit.spec import opt
from fxkit.traits import Traits

if TYPE_CHECKING:
    from fxkit_dsp._minimum_phase_fir import MinimumPhaseFIRModule


@attrs.frozen(kw_only=True)
class MinimumPhaseFIR:
    """Shape the spectrum by a gain per band, with the least delay that such a spectrum can have.

    Gains in decibels are joined by straight lines over the logarithm of frequency, from `lowest` to half
    the sample rate, and level outside; the taps follow by the real cepstrum (Oppenheim and Schafer,
    Discrete-Time Signal Processing, 3rd ed. 2010, section 13.5).
    """

    bands: int = opt(24, ge=2, le=512, help="number of gains")
    taps: int = opt(1024, ge=16, le=65536, help="length of the filter; bands below rate / taps blur")
    gain_range: float = opt(24.0, unit="dB", gt=0, le=80, help="largest boost and cut of a band")
    lowest: float = opt(40.0, unit="Hz", gt=0, le=2000, help="frequency of the lowest band")

    def parameters(self, ctx: BuildContext) -> Sequence[Parameter]:
        """Declare one gain per band; they start flat."""
        gain = Parameter(
            name="gain_db", low=-self.gain_range, high=self.gain_range, default=0.0, unit="dB",
            size=self.bands, rate="constant", help="gain of each band, lowest first",
        )  # fmt: skip
        return (gain,)

    def traits(self, ctx: BuildContext) -> Traits:
        """Declare a filter without latency that reaches over its taps."""
        return Traits(receptive_field=self.taps, macs=self.taps * ctx.channels)

    def build(self, ctx: BuildContext) -> MinimumPhaseFIRModule:
        """Build the module."""
        from fxkit_dsp._minimum_phase_fir import MinimumPhaseFIRModule

        return MinimumPhaseFIRModule(self.bands, self.taps, self.lowest / ctx.nyquist)
