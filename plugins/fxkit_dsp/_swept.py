"""The base of modules with a low-frequency oscillator."""

from __future__ import annotations

from collections.abc import Mapping
from typing import Any, TypedDict

import torch
from torch import Tensor, nn

from fxkit_dsp._sweep import Wave
from fxkit_signal.lfo import advance, harmonic_wave, lfo_phase, lfo_wave


class SweptState(TypedDict):
    """Hold the samples so far, int64 on the CPU, [] or [batch], and what the line or filter remembers."""

    position: Tensor
    memory: Any


class SweptModule(nn.Module):
    """Offer the oscillator of a modulation effect, whose phase depends on the absolute sample alone."""

    def __init__(self, sample_rate: int, wave: Wave) -> None:
        super().__init__()
        self.sample_rate = sample_rate
        self.wave: Wave = wave

    def state_at(self, starts: Tensor) -> SweptState:
        """Return the state after silence that lasted `starts` samples [batch]."""
        return {"position": starts, "memory": None}

    def begin(self, state: SweptState | None) -> SweptState:
        """Return the state to start from."""
        return {"position": torch.zeros((), dtype=torch.int64), "memory": None} if state is None else state

    def after(self, audio: Tensor, before: SweptState, memory: Any) -> SweptState:
        """Return the state after a block of `audio`."""
        return {"position": advance(before["position"], audio.shape[-1]), "memory": memory}

    def sweep(
        self, audio: Tensor, params: Mapping[str, Tensor], state: SweptState, offset: Tensor | float = 0.0
    ) -> Tensor:
        """Return the oscillator, float64 [batch, 1 or channels, samples], in [-1, 1].

        `offset` in cycles, [1, channels, 1] or one for all, is added to its phase.
        """
        phase = params["phase"].double() + offset
        if "spread" in params:
            order = torch.arange(audio.shape[1], device=audio.device, dtype=torch.float64)[:, None]
            phase = phase + order * params["spread"]
        turns = lfo_phase(params["rate"], phase, audio.shape[-1], self.sample_rate, state["position"])
        if self.wave != "learned":
            return lfo_wave(turns, self.wave)
        sines, cosines = (params[name].double().mT for name in ("wave_sines", "wave_cosines"))
        return harmonic_wave(turns, sines, cosines)

    def samples(self, milliseconds: Tensor) -> Tensor:
        """Return a time in samples, float64."""
        return milliseconds.double() * (self.sample_rate / 1000)
