"""The `learned-ir`: a short impulse response that dies away."""

from __future__ import annotations

from collections.abc import Sequence
from typing import TYPE_CHECKING

import attrs

from fxkit.context import BuildContext
from fxkit.parameter import Parameter
from fxkit.spec import opt
from fxkit.traits import Traits

if TYPE_CHECKING:
    from fxkit_dsp._fir import DecayingFIRModule


@attrs.frozen(kw_only=True)
class LearnedIR:
    """Learn a room, a cabinet or a spring as an impulse response under a decaying envelope.

    The taps are weights times 10^(-3 t / decay): late ones, which a recording tells least about, start
    small and learn slowly. They start as faint noise. The input is added to what they make, unless
    `dry` is off.
    """

    length: float = opt(50.0, unit="ms", gt=0, le=5000, help="length of the impulse response")
    decay: float = opt(50.0, unit="ms", gt=0, le=20000, help="time in which the envelope falls by 60 dB")
    level: float = opt(-20.0, unit="dB", ge=-120, le=20, help="level of the noise that the taps start as")
    dry: bool = opt(True, help="add the input to the output")
    separate: bool = opt(False, help="learn a response for each channel instead of one for all")

    def parameters(self, ctx: BuildContext) -> Sequence[Parameter]:
        """Declare nothing: the taps are weights."""
        return ()

    def traits(self, ctx: BuildContext) -> Traits:
        """Declare a filter without latency that reaches over its taps."""
        taps = self._taps(ctx)
        return Traits(receptive_field=taps, macs=taps * ctx.channels)

    def build(self, ctx: BuildContext) -> DecayingFIRModule:
        """Build the module; its first weights are drawn from torch's generator."""
        import torch

        from fxkit_dsp._fir import DecayingFIRModule

        taps = self._taps(ctx)
        samples = self.decay * ctx.sample_rate / 1000
        envelope = 10 ** (-3 * torch.arange(taps, dtype=torch.float64) / samples)
        # White noise of this level in comes out of the noise that the taps start as at `level` dB.
        size = 10 ** (self.level / 20) / envelope.norm()
        weights = size * torch.randn(ctx.channels if self.separate else 1, taps)
        return DecayingFIRModule(weights.float(), envelope.float(), self.dry)

    def _taps(self, ctx: BuildContext) -> int:
        return max(1, round(self.length * ctx.sample_rate / 1000))
