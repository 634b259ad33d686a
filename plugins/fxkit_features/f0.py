"""The `f0` feature: pitch and how sure it is."""

from __future__ import annotations

from collections.abc import Iterable
from typing import TYPE_CHECKING

import attrs

from fxkit.errors import AssemblyError
from fxkit.spec import opt

if TYPE_CHECKING:
    from fxkit.context import BuildContext
    from fxkit.protocols import Feature

_PERIOD_SAMPLES = 4


@attrs.frozen(kw_only=True)
class F0:
    """Follow the pitch of one voice: f0 in Hz and confidence in [0, 1].

    YIN candidates (de Cheveigne and Kawahara, 2002) joined by the cheapest path through them. Frames
    without pitch have confidence 0 and hold the f0 of the last voiced frame, before the first one its
    f0. Channels are averaged first.
    """

    floor: float = opt(50.0, unit="Hz", ge=10, le=5000, help="lowest pitch; frames last three of its periods")
    ceiling: float = opt(2000.0, unit="Hz", ge=20, le=12000, help="highest pitch, up to sample rate / 4")
    threshold: float = opt(0.55, gt=0, lt=1, help="share of aperiodic power above which a frame is unvoiced")
    silence: float = opt(-60.0, unit="dB", ge=-140, le=0, help="power below which all is unvoiced")

    def problems(self) -> Iterable[tuple[str, str]]:
        """Yield what is wrong with the options together."""
        if not self.floor < self.ceiling:
            yield "floor", f"{self.floor:g} Hz must be below the ceiling, {self.ceiling:g} Hz"

    def dims(self, ctx: BuildContext) -> int:
        """Return 2: f0 in Hz and confidence."""
        return 2

    def build(self, ctx: BuildContext) -> Feature:
        """Build the extractor; raises `AssemblyError` when the sample rate is too low for the ceiling."""
        highest = ctx.sample_rate / _PERIOD_SAMPLES
        if not self.floor < self.ceiling <= highest:
            fix = f"set ceiling above the floor, {self.floor:g} Hz, and at most {highest:g} Hz"
            raise AssemblyError("f0", f"ceiling {self.ceiling:g} Hz at {ctx.sample_rate} Hz; {fix}")
        from fxkit_features._f0 import F0Extractor

        return F0Extractor(self, ctx.sample_rate, ctx.hop)
