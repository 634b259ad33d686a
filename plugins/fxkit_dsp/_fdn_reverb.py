"""The module of the reverberation by a feedback delay network."""

from __future__ import annotations

import math
from collections.abc import Mapping, Sequence
from typing import TypedDict

import torch
from torch import Tensor, nn

from fxkit_dsp._edition import edition
from fxkit_dsp._pre_delay import read_late
from fxkit_signal.feedback_delay_network import Losses, NetworkState, decay_losses, feedback_delay_network
from fxkit_signal.memo import Memo


class ReverbState(TypedDict):
    """Hold the audio on its way to the lines [batch, channels, room], and the network's state."""

    before: Tensor
    network: NetworkState


class FDNReverbModule(nn.Module):
    """Send audio into the lines, collect what leaves them, and mix.

    `into` [lines, channels] and `out_of` [channels, lines] are gains; `angles` what stands above the
    diagonal of the skew-symmetric matrix, None where the matrix is fixed.
    """

    def __init__(
        self, delays: Sequence[int], channels: int, rate: int, learned: bool, longest_pre_delay: float
    ) -> None:
        super().__init__()
        count = len(delays)
        self.delays, self.rate = tuple(delays), rate
        self.room = math.ceil(longest_pre_delay) + 1
        self.into = nn.Parameter(_signs(channels, count).mT / count**0.5)
        self.out_of = nn.Parameter(_signs(channels, count, first=channels) / count**0.5)
        self.angles = nn.Parameter(torch.randn(count * (count - 1) // 2)) if learned else None
        self.matrices: Memo[Tensor] = Memo()
        self.losses: Memo[Losses] = Memo()

    def forward(
        self, audio: Tensor, params: Mapping[str, Tensor], state: ReverbState | None = None
    ) -> tuple[Tensor, ReverbState]:
        """Reverberate audio [batch, channels, samples]; `mix` is [batch, 1, 1 or samples]."""
        before = audio.new_zeros(*audio.shape[:2], self.room) if state is None else state["before"]
        joined = torch.cat([before, audio], dim=-1)
        late = read_late(joined, params["pre_delay"] * (self.rate / 1000), audio.shape[-1])
        tracks = [params[name] for name in ("t60_low", "t60_high", "crossover")]
        losses = self.losses(lambda: self._losses(*tracks), *tracks, *map(edition, tracks))
        heard, network = feedback_delay_network(
            self.into @ late, self.delays, self._matrix(), losses, state and state["network"]
        )
        wet = self.out_of @ heard
        following = joined[..., joined.shape[-1] - self.room :].clone()
        return torch.lerp(audio, wet, params["mix"]), {"before": following, "network": network}

    def _losses(self, *tracks: Tensor) -> Losses:
        low, high, crossover = (track[..., 0] for track in tracks)
        return decay_losses(self.delays, self.rate, low, high, crossover)

    def _matrix(self) -> Tensor:
        angles = self.angles
        if angles is None:
            return self.matrices(self._householder)
        return self.matrices(lambda: self._rotation(angles), angles, edition(angles))

    def _rotation(self, angles: Tensor) -> Tensor:
        """Return the exponential of the skew-symmetric matrix of `angles`: orthogonal, with gradient."""
        count = len(self.delays)
        upper = torch.triu_indices(count, count, 1, device=angles.device)
        skew = angles.new_zeros(count, count, dtype=torch.float64)
        skew = skew.index_put((upper[0], upper[1]), angles.double())
        rotation: Tensor = torch.matrix_exp(skew - skew.mT)
        return rotation

    def _householder(self) -> Tensor:
        """Return the reflection I - 2 v v' with all entries of v equal (Jot and Chaigne 1991)."""
        count = len(self.delays)
        return torch.eye(count, dtype=torch.float64, device=self.into.device) - 2 / count


def _signs(rows: int, columns: int, first: int = 0) -> Tensor:
    """Return rows of a Walsh-Hadamard matrix, from the `first` on: +-1 in patterns that differ."""
    number = torch.arange(first, first + rows)[:, None] & torch.arange(columns)
    parity = sum((number >> bit & 1 for bit in range(6)), torch.zeros_like(number)) % 2
    return 1.0 - 2.0 * parity
