"""What the metrics of a voice's pitch share: options, tracks, and which frames are voiced."""

from __future__ import annotations

from collections.abc import Iterator
from typing import TYPE_CHECKING

import attrs

from fxkit.spec import opt
from fxkit.traits import LossTraits

if TYPE_CHECKING:
    import torch

    from fxkit.context import BuildContext
    from fxkit.values import Batch, Output


@attrs.frozen(kw_only=True)
class VoiceMetric:
    """Hold what the pitch tracker is told."""

    floor: float = opt(50.0, unit="Hz", ge=10, le=5000, help="lowest pitch")
    ceiling: float = opt(2000.0, unit="Hz", ge=20, le=12000, help="highest pitch, up to sample rate / 4")

    def problems(self) -> Iterator[tuple[str, str]]:
        """Yield what is wrong with the options together."""
        if not self.floor < self.ceiling:
            yield "floor", f"{self.floor:g} Hz must be below the ceiling, {self.ceiling:g} Hz"

    def traits(self, ctx: BuildContext) -> LossTraits:
        """Declare that nothing can be trained on it."""
        return LossTraits(differentiable=False, sign_blind=True)

    def voice(self, ctx: BuildContext) -> Voice:
        """Return the tracker; raises `ValueError` when the sample rate is too low for the ceiling."""
        highest = ctx.sample_rate / 4
        if not self.floor < self.ceiling <= highest:
            raise ValueError(
                f"ceiling {self.ceiling:g} Hz at {ctx.sample_rate} Hz;"
                f" set it above the floor, {self.floor:g} Hz, and at most {highest:g} Hz"
            )
        hop = max(1, round(ctx.sample_rate / 200))
        return Voice(rate=ctx.sample_rate, hop=hop, floor=self.floor, ceiling=self.ceiling)


@attrs.frozen(kw_only=True)
class Frames:
    """Hold pitches in Hz and voicing of output and target of one item, [frames] each, 5 ms apart."""

    found: torch.Tensor
    expected: torch.Tensor
    found_voiced: torch.Tensor
    expected_voiced: torch.Tensor

    def cents(self) -> torch.Tensor:
        """Return by how many cents the output's pitch is off, at most an octave, in frames voiced in both."""
        both = self.found_voiced & self.expected_voiced
        off = 1200 * (self.found[both] / self.expected[both]).log2()
        return off.abs().clamp(max=1200)


@attrs.frozen(kw_only=True)
class Voice:
    """Follow the pitch of output and target."""

    rate: float
    hop: int
    floor: float
    ceiling: float

    def frames(self, output: Output, batch: Batch) -> list[Frames]:
        """Return the tracks of each item; several metrics of one batch follow a pitch once."""
        found = batch.shared.of(output.audio, self, self._tracks)
        expected = batch.shared.of(batch.target, self, self._tracks)
        return [
            Frames(found=f, expected=e, found_voiced=fv, expected_voiced=ev)
            for (f, fv), (e, ev) in zip(found, expected, strict=True)
        ]

    def _tracks(self, audio: torch.Tensor) -> list[tuple[torch.Tensor, torch.Tensor]]:
        from fxkit_signal.pitch import track_pitch

        # The search for the cheapest path runs on the CPU.
        mono = audio.detach().mean(dim=1).cpu()
        tracks = (
            track_pitch(item, self.rate, self.hop, floor=self.floor, ceiling=self.ceiling) for item in mono
        )
        return [(track.f0, track.voiced) for track in tracks]
