"""The `fdn-reverb`: a room as a network of delay lines."""

from __future__ import annotations

from collections.abc import Iterator, Sequence
from typing import TYPE_CHECKING, Literal

import attrs

from fxkit.context import BuildContext
from fxkit.parameter import Parameter
from fxkit.spec import opt
from fxkit.traits import Traits

if TYPE_CHECKING:
    from fxkit_dsp._fdn_reverb import FDNReverbModule


@attrs.frozen(kw_only=True)
class FDNReverb:
    """Reverberate by a feedback delay network that can never grow, whatever it learns.

    Lines of mutually prime lengths feed each other through an orthogonal matrix; each loses what the decay
    times ask for (Jot and Chaigne, Digital delay networks for designing artificial reverberators, 1991). The
    gains into and out of the lines are learned, and so is the matrix, as the exponential of a skew-symmetric
    one, unless it is a fixed reflection (Householder).
    """

    lines: int = opt(8, ge=2, le=32, help="number of delay lines")
    shortest: float = opt(12.0, unit="ms", ge=1, le=500, help="length of the shortest line: the first echo")
    longest: float = opt(50.0, unit="ms", ge=1, le=1000, help="length of the longest line")
    matrix: Literal["learned", "householder"] = opt("learned", help="how the lines feed each other")
    longest_pre_delay: float = opt(
        100.0, unit="ms", gt=0, le=500, help="largest pre-delay a controller can set"
    )

    def problems(self) -> Iterator[tuple[str, str]]:
        """Refuse lines in the wrong order."""
        if self.longest < self.shortest:
            yield "longest", f"{self.longest:g} ms is less than shortest = {self.shortest:g} ms"

    def parameters(self, ctx: BuildContext) -> Sequence[Parameter]:
        """Declare decay times, the frequency between them, pre-delay, and the mix."""
        top = min(12000.0, 0.45 * ctx.sample_rate)
        return (
            Parameter(
                name="t60_low", low=0.1, high=20.0, default=2.0, unit="s", mapping="log", rate="constant",
                help="time in which low frequencies fall by 60 dB",
            ),
            Parameter(
                name="t60_high", low=0.05, high=20.0, default=1.0, unit="s", mapping="log", rate="constant",
                help="time in which high frequencies fall by 60 dB",
            ),
            Parameter(
                name="crossover", low=100.0, high=top, default=min(3000.0, top), unit="Hz", mapping="log",
                rate="constant", help="corner of the low-pass that parts low from high",
            ),
            Parameter(
                name="pre_delay", low=0.0, high=self.longest_pre_delay, default=0.0, unit="ms",
                rate="constant", help="time before sound enters the lines",
            ),
            Parameter(name="mix", low=0.0, high=1.0, default=0.3, help="0 is dry, 1 is wet"),
        )  # fmt: skip

    def traits(self, ctx: BuildContext) -> Traits:
        """Declare a recursion without latency: the dry side passes at once."""
        per_channel = 2 * self.lines * ctx.channels
        return Traits(macs=float(self.lines * (self.lines + 4) + per_channel))

    def build(self, ctx: BuildContext) -> FDNReverbModule:
        """Build the module; a learned matrix is drawn from torch's generator."""
        from fxkit_dsp._fdn_reverb import FDNReverbModule
        from fxkit_signal.feedback_delay_network import prime_delays

        per_ms = ctx.sample_rate / 1000
        delays = prime_delays(self.lines, self.shortest * per_ms, self.longest * per_ms)
        return FDNReverbModule(
            delays, ctx.channels, ctx.sample_rate, self.matrix == "learned", self.longest_pre_delay * per_ms
        )
