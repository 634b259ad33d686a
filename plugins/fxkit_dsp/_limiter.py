"""The module of the limiter."""

from __future__ import annotations

from collections.abc import Mapping

import torch
from torch import Tensor, nn

from fxkit_dsp._dynamics import Link
from fxkit_dsp._level import linked_level
from fxkit_signal.ballistics import attack_release, smoothing_coefficient
from fxkit_signal.delay import delay
from fxkit_signal.gain_computer import amplitude, decibels
from fxkit_signal.sliding import sliding_max, sliding_mean

State = dict[str, Tensor]


class LimiterModule(nn.Module):
    """Hold the attenuation in dB that is needed, release it, average it, and apply it late.

    Of the N + 1 values that are averaged at n, each is at least what sample n - N needs, because each
    is held for N samples: so is their mean.
    """

    def __init__(self, sample_rate: int, lookahead: int, *, link: Link) -> None:
        super().__init__()
        self.sample_rate = sample_rate
        self.lookahead = lookahead
        self.link = link

    def forward(
        self, audio: Tensor, params: Mapping[str, Tensor], state: State | None = None
    ) -> tuple[Tensor, State]:
        """Limit audio [batch, channels, samples]; each parameter is [batch, 1, 1 or samples]."""
        before = state or {}
        loud = audio * amplitude(params["drive_db"])
        needed = (
            decibels(linked_level(loud.double(), self.link, channels=loud.shape[1])) - params["ceiling_db"]
        ).clamp(min=0)
        held, needs = sliding_max(needed, self.lookahead + 1, before.get("needs"))
        release = smoothing_coefficient(params["release_ms"], self.sample_rate)
        less, last = attack_release(held, torch.zeros_like(release), release, before.get("last"))
        ramp, recent = sliding_mean(less, self.lookahead + 1, before.get("recent"))
        late, delayed = delay(loud, self.lookahead, before.get("delayed"))
        ceiling = amplitude(params["ceiling_db"]).expand(-1, -1, audio.shape[-1])
        ceiling, ceilings = delay(ceiling, self.lookahead, before.get("ceilings"))
        # The mean is right; the clamp takes off what rounding may add.
        limited = (late * amplitude(-ramp).to(late.dtype)).clamp(-ceiling, ceiling)
        after = {
            "needs": needs, "last": last, "recent": recent, "delayed": delayed, "ceilings": ceilings,
        }  # fmt: skip
        return limited, after
