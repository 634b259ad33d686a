"""The module of the loudness normaliser."""

from __future__ import annotations

from collections.abc import Mapping

import torch
from torch import Tensor, nn

from fxkit_signal.ballistics import attack_release, smoothing_coefficient
from fxkit_signal.biquad import sosfilt
from fxkit_signal.gain_computer import amplitude
from fxkit_signal.loudness import LUFS_OFFSET, k_weighting, loudness_units

State = dict[str, Tensor]
# The gating block of BS.1770-4, in milliseconds.
MOMENT = 400.0


class LoudnessNormaliserModule(nn.Module):
    """Scale audio by target less loudness; the state is that of the weighting and both averages."""

    def __init__(self, sample_rate: int, gate: float) -> None:
        super().__init__()
        self.sample_rate = sample_rate
        self.gate = gate

    def forward(
        self, audio: Tensor, params: Mapping[str, Tensor], state: State | None = None
    ) -> tuple[Tensor, State]:
        """Normalise audio [batch, channels, samples]; each parameter is [batch, 1, 1 or samples]."""
        before = state or {}
        target = params["target"].double()
        weighting = k_weighting(self.sample_rate).to(audio.device)[None]
        weighted, filters = sosfilt(audio.double(), weighting, before.get("filters"))
        power = weighted.square().sum(dim=1, keepdim=True)
        moment = smoothing_coefficient(torch.full_like(target[:1, :, :1], MOMENT), self.sample_rate)
        now, recent = attack_release(power.detach(), moment, moment, before.get("recent"))
        pace = smoothing_coefficient(params["time_ms"], self.sample_rate)
        pace = torch.where(now > _power(self.gate), pace, 1.0)
        average = before.get("average", _power(target[..., 0]))
        average, last = attack_release(power, pace, pace, average)
        reach = params["range_db"].double()
        gain = amplitude((target - loudness_units(average)).clamp(-reach, reach))
        return audio * gain.to(audio.dtype), {"filters": filters, "recent": recent, "average": last}


def _power(loudness: Tensor | float) -> Tensor:
    return 10 ** ((torch.as_tensor(loudness, dtype=torch.float64) - LUFS_OFFSET) / 10)
