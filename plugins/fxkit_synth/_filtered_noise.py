"""The module of the filtered-noise source."""

from __future__ import annotations

from collections.abc import Mapping
from typing import TypedDict

import torch
from torch import Tensor, nn

from fxkit_signal.framing import FrameState
from fxkit_signal.noise import filter_noise


class NoiseState(TypedDict):
    """Hold which noise is playing, int64 [batch, channels], and where its frames stand."""

    seeds: Tensor
    clock: FrameState


class FilteredNoiseModule(nn.Module):
    """Shape white noise, each channel its own, by `magnitudes`."""

    def __init__(self, hop: int, channels: int, seed: int) -> None:
        super().__init__()
        self.hop = hop
        self.channels = channels
        self.seed = seed

    def forward(
        self, audio: Tensor, params: Mapping[str, Tensor], state: NoiseState | None = None
    ) -> tuple[Tensor, NoiseState]:
        """Return [batch, channels, samples] for `audio` [batch, 0, samples].

        `magnitudes` is [batch, bands, frames due].
        """
        seeds = self._seeds(audio.shape[0]).to(audio.device) if state is None else state["seeds"]
        clock = None if state is None else state["clock"]
        noise, clock = filter_noise(params["magnitudes"], seeds, audio.shape[-1], self.hop, clock)
        return noise, {"seeds": seeds, "clock": clock}

    def _seeds(self, batch: int) -> Tensor:
        if self.training:
            return torch.randint(2**62, (batch, self.channels))
        return (self.seed + (torch.arange(self.channels) << 32)).expand(batch, -1)
