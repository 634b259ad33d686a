"""The modules of flanger, chorus and vibrato: lines whose delay is swept."""

from __future__ import annotations

from collections.abc import Mapping

import torch
from torch import Tensor

from fxkit_dsp._sweep import READING_MARGIN, Interpolation, Wave
from fxkit_dsp._swept import SweptModule, SweptState
from fxkit_signal.delay_line import delay_line
from fxkit_signal.sweep_search import find_sweep


class FlangerModule(SweptModule):
    """Mix audio with what a swept delay line with feedback gives."""

    def __init__(self, sample_rate: int, wave: Wave, longest: float, interpolation: Interpolation) -> None:
        super().__init__(sample_rate, wave)
        self.longest = longest * sample_rate / 1000
        self.interpolation: Interpolation = interpolation

    def forward(
        self, audio: Tensor, params: Mapping[str, Tensor], state: SweptState | None = None
    ) -> tuple[Tensor, SweptState]:
        """Process audio [batch, channels, samples]."""
        before = self.begin(state)
        swept = 0.5 + 0.5 * self.sweep(audio, params, before)
        time = self.samples(params["delay"]) + self.samples(params["depth"]) * swept
        wet, line = delay_line(
            audio, time, params["feedback"], state=before["memory"],
            longest=self.longest, interpolation=self.interpolation,
        )  # fmt: skip
        mix = params["mix"]
        return (1 - mix.abs()) * audio + mix * wet, self.after(audio, before, line)

    def estimate(self, dry: Tensor, wet: Tensor, start: int) -> dict[str, float]:
        """Return the sweep that a recording [samples] shows, as parameters; `start` is its first sample."""
        # A learned wave starts as a sine.
        sweep = find_sweep(
            dry, wet, self.sample_rate, longest=self.longest,
            wave="triangle" if self.wave == "triangle" else "sine",
        )  # fmt: skip
        per_millisecond = self.sample_rate / 1000
        return {
            "delay": sweep.shortest / per_millisecond,
            "depth": (sweep.longest - sweep.shortest) / per_millisecond,
            "rate": sweep.rate,
            "phase": (sweep.phase - sweep.rate * start / self.sample_rate + 0.5) % 1 - 0.5,
        }


class ChorusModule(SweptModule):
    """Mix audio with several swept delays of it, whose oscillators are spread over a turn."""

    def __init__(
        self, sample_rate: int, wave: Wave, longest: float, interpolation: Interpolation, voices: int
    ) -> None:
        super().__init__(sample_rate, wave)
        self.longest = longest * sample_rate / 1000
        self.interpolation: Interpolation = interpolation
        self.voices = voices

    def forward(
        self, audio: Tensor, params: Mapping[str, Tensor], state: SweptState | None = None
    ) -> tuple[Tensor, SweptState]:
        """Process audio [batch, channels, samples]."""
        before = self.begin(state)
        delay, depth = self.samples(params["delay"]), self.samples(params["depth"])
        turns = [self.sweep(audio, params, before, voice / self.voices) for voice in range(self.voices)]
        times = [(delay + depth * (0.5 + 0.5 * turn)).expand(audio.shape) for turn in turns]
        wet, line = delay_line(
            audio.repeat(1, self.voices, 1), torch.cat(times, dim=1), state=before["memory"],
            longest=self.longest, interpolation=self.interpolation,
        )  # fmt: skip
        mean = wet.unflatten(1, (self.voices, -1)).mean(1)
        return audio + params["mix"] * (mean - audio), self.after(audio, before, line)


class VibratoModule(SweptModule):
    """Bend the pitch by a delay that is swept from the shortest one on."""

    def __init__(self, sample_rate: int, wave: Wave, interpolation: Interpolation, deepest: float) -> None:
        super().__init__(sample_rate, wave)
        self.interpolation: Interpolation = interpolation
        self.longest = READING_MARGIN + deepest * sample_rate / 1000

    def forward(
        self, audio: Tensor, params: Mapping[str, Tensor], state: SweptState | None = None
    ) -> tuple[Tensor, SweptState]:
        """Process audio [batch, channels, samples]."""
        before = self.begin(state)
        swept = 0.5 + 0.5 * self.sweep(audio, params, before)
        time = READING_MARGIN + self.samples(params["depth"]) * swept
        wet, line = delay_line(
            audio, time, state=before["memory"], longest=self.longest, interpolation=self.interpolation
        )
        return audio + params["mix"] * (wet - audio), self.after(audio, before, line)
