"""The module of the phaser."""

from __future__ import annotations

from collections.abc import Mapping

from torch import Tensor

from fxkit_dsp._sweep import Wave
from fxkit_dsp._swept import SweptModule, SweptState
from fxkit_signal.phase_shifter import phase_shifter

# The tangent that places a stage has its pole at half the sample rate.
_HIGHEST_SHARE = 0.45
_LOWEST = 10.0


class PhaserModule(SweptModule):
    """Mix audio with itself behind allpass stages that are swept."""

    def __init__(self, sample_rate: int, wave: Wave, stages: int) -> None:
        super().__init__(sample_rate, wave)
        self.stages = stages

    def forward(
        self, audio: Tensor, params: Mapping[str, Tensor], state: SweptState | None = None
    ) -> tuple[Tensor, SweptState]:
        """Process audio [batch, channels, samples]."""
        before = self.begin(state)
        octaves = 0.5 * params["depth"].double() * self.sweep(audio, params, before)
        frequency = (params["frequency"].double() * octaves.exp2()).clamp(
            _LOWEST, _HIGHEST_SHARE * self.sample_rate
        )
        wet, held = phase_shifter(
            audio, frequency, params["feedback"], before["memory"],
            stages=self.stages, sample_rate=self.sample_rate,
        )  # fmt: skip
        mix = params["mix"]
        return (1 - mix.abs()) * audio + mix * wet, self.after(audio, before, held)
