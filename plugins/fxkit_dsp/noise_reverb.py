"""The `noise-reverb`: a room as noise that dies away, band by band."""

from __future__ import annotations

from collections.abc import Sequence
from typing import TYPE_CHECKING

import attrs

from fxkit.context import BuildContext
from fxkit.parameter import Parameter
from fxkit.spec import opt
from fxkit.traits import Traits

if TYPE_CHECKING:
    from fxkit_dsp._noise_reverb import NoiseReverbModule


@attrs.frozen(kw_only=True)
class NoiseReverb:
    """Reverberate by noise under an exponential decay per octave band.

    The impulse response is the sum of octave bands of fixed noise, each with its own level and decay time
    (Moorer, About this reverberation business, 1979; Steinmetz, Ithapu and Calamia, Filtered noise
    shaping for time domain room impulse response estimation, 2021). Each channel has its own noise. At
    0 dB and 1 s in all bands the response has an energy of 1.
    """

    length: float = opt(1.0, unit="s", gt=0, le=20, help="length of the impulse response, faded at its end")
    bands: int = opt(10, ge=1, le=16, help="octave bands, from half the sample rate downwards")
    longest_pre_delay: float = opt(
        100.0, unit="ms", gt=0, le=500, help="largest pre-delay a controller can set"
    )

    @classmethod
    def examples(cls) -> tuple[NoiseReverb, ...]:
        """Return short rooms, which are quick to check."""
        return cls(length=0.1), cls(length=0.03, bands=3, longest_pre_delay=5.0)

    def parameters(self, ctx: BuildContext) -> Sequence[Parameter]:
        """Declare level and decay time per band, lowest first, pre-delay, and the mix."""
        return (
            Parameter(
                name="gain_db", low=-60.0, high=12.0, default=0.0, unit="dB", size=self.bands,
                rate="constant", help="level at which each band starts",
            ),
            Parameter(
                name="t60", low=0.05, high=10.0, default=1.0, unit="s", mapping="log", size=self.bands,
                rate="constant", help="time in which each band falls by 60 dB",
            ),
            Parameter(
                name="pre_delay", low=0.0, high=self.longest_pre_delay, default=0.0, unit="ms",
                rate="constant", help="time before the reverberation starts",
            ),
            Parameter(name="mix", low=0.0, high=1.0, default=0.3, help="0 is dry, 1 is wet"),
        )  # fmt: skip

    def traits(self, ctx: BuildContext) -> Traits:
        """Declare a filter without latency; how far it reaches depends on the pre-delay."""
        return Traits()

    def build(self, ctx: BuildContext) -> NoiseReverbModule:
        """Build the module; its noise depends on the run's seed alone."""
        from fxkit_dsp._noise_reverb import NoiseReverbModule, octave_noise

        samples = max(2, round(self.length * ctx.sample_rate))
        noise = octave_noise(ctx.seed, ctx.channels, self.bands, samples, ctx.sample_rate)
        return NoiseReverbModule(noise, ctx.sample_rate, self.longest_pre_delay)
