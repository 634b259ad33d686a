"""The module behind `lfo`."""

from __future__ import annotations

import math
from collections.abc import Sequence
from typing import Literal

import torch
from torch import Tensor, nn

from fxkit.parameter import Parameter
from fxkit.values import ControlInputs
from fxkit_signal.lfo import harmonic_wave, lfo_phase, lfo_wave

_HARMONICS = 8
# As near to the ends of a range as a sigmoid may start, so that a gradient leads back.
_EDGE = 1e-3


class LFOModule(nn.Module):
    """Hold the ends, log2 of the rate in Hz, phase in cycles and wave of one oscillator per value.

    The state is the absolute sample of the next frame, int64 on the CPU, [] or [batch].
    """

    def __init__(
        self,
        parameters: Sequence[Parameter],
        wave: Literal["sine", "triangle", "learned"],
        rate: float,
        swing: float,
        sample_rate: int,
        hop: int,
    ) -> None:
        super().__init__()
        self.wave = wave
        self.sample_rate = sample_rate
        self.hop = hop
        shares = [p.to_normalised(value) for p in parameters for value in p.defaults]
        self.ends = nn.Parameter(torch.tensor([_ends(share, swing) for share in shares]))
        self.octaves = nn.Parameter(torch.full((len(shares), 1), math.log2(rate)))
        self.phase = nn.Parameter(torch.zeros(len(shares), 1))
        if wave == "learned":
            first = torch.zeros(2, len(shares), _HARMONICS)
            first[0, :, 0] = 1
            self.harmonics = nn.Parameter(first)

    def forward(self, inputs: ControlInputs, state: Tensor | None = None) -> tuple[Tensor, Tensor]:
        """Return the frames due, [batch, values, frames]."""
        position = torch.zeros((), dtype=torch.int64) if state is None else state
        turns = lfo_phase(
            self.octaves.double().exp2()[None], self.phase[None], inputs.frames, self.sample_rate, position,
            hop=self.hop,
        )  # fmt: skip
        low, high = torch.sigmoid(self.ends).split(1, dim=1)
        values = low + (high - low) * (0.5 + 0.5 * self._wave(turns)).to(low.dtype)
        return values.expand(inputs.audio.shape[0], -1, -1), position + inputs.frames * self.hop

    def state_at(self, starts: Tensor) -> Tensor:
        """Return the state after silence that lasted `starts` samples [batch]."""
        return starts

    def _wave(self, turns: Tensor) -> Tensor:
        if self.wave != "learned":
            return lfo_wave(turns, self.wave)
        return harmonic_wave(turns, *self.harmonics.double())


def _ends(share: float, swing: float) -> tuple[float, float]:
    """Return logits of the ends of a swing around a share of the range, moved inside where it leaves it."""
    width = min(swing, 1 - 2 * _EDGE)
    low = min(max(share - width / 2, _EDGE), 1 - _EDGE - width)
    return _logit(low), _logit(low + width)


def _logit(share: float) -> float:
    return math.log(share / (1 - share))
