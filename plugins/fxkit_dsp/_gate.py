"""The module of the gate."""

from __future__ import annotations

from collections.abc import Mapping

import torch
from torch import Tensor, nn

from fxkit_dsp._dynamics import Link
from fxkit_dsp._level import attack_and_release, linked_level
from fxkit_signal.ballistics import attack_release, held_open
from fxkit_signal.gain_computer import amplitude, decibels, reduction

State = tuple[Tensor, Tensor]


class GateModule(nn.Module):
    """Scale audio by a gain that is 1 when open; the state is (switch, attenuation in dB)."""

    def __init__(self, sample_rate: int, link: Link) -> None:
        super().__init__()
        self.sample_rate = sample_rate
        self.link = link

    def forward(
        self,
        audio: Tensor,
        params: Mapping[str, Tensor],
        state: State | None = None,
        *,
        sidechain: Tensor | None = None,
    ) -> tuple[Tensor, State]:
        """Gate audio [batch, channels, samples]; each parameter is [batch, 1, 1 or samples]."""
        heard = audio if sidechain is None else sidechain
        level = decibels(linked_level(heard, self.link, channels=audio.shape[1]))
        threshold, reach = params["threshold_db"], params["range_db"]
        switch, less = (None, self._shut(level, reach)) if state is None else state
        hold = params["hold_ms"] * (self.sample_rate / 1000)
        is_open, switch = held_open(level, threshold, threshold - params["hysteresis_db"], hold, switch)
        wanted = reduction(threshold - level, params["ratio"] - 1, torch.zeros_like(reach), reach)
        attack, release = attack_and_release(params, self.sample_rate)
        less_now, less = attack_release(wanted.masked_fill(is_open, 0.0), release, attack, less)
        return audio * amplitude(-less_now), (switch, less)

    def _shut(self, level: Tensor, reach: Tensor) -> Tensor:
        return reach[..., 0].double().expand(level.shape[:2])
