"""The modules behind `lru`."""

from __future__ import annotations

import math
from collections.abc import Mapping

import torch
from torch import Tensor, nn

from fxkit_neural._state_space import mix
from fxkit_signal.diagonal_system import diagonal_system, settled

# As Orvieto et al. have it: the recursion trains slower than the rest, without decay.
POLE_RULE = {"lr": 0.25, "weight_decay": 0.0}
LOWEST_HZ = 5.0


class Unit(nn.Module):
    """Drive `modes` complex poles by all channels and read all channels from them.

    Poles are exp(-exp(decay) + i exp(turn)) and so never outside the unit circle. Both start evenly on
    a logarithmic scale, from `lowest` to the highest that samples can tell: in samples per radian.
    """

    def __init__(self, channels: int, modes: int, lowest: float) -> None:
        super().__init__()
        low = math.log(lowest)
        self.decay = nn.Parameter(low - low * torch.rand(modes))
        self.turn = nn.Parameter(low + (math.log(math.pi) - low) * torch.rand(modes))
        self.into = nn.Parameter(torch.randn(modes, channels, 2) / math.sqrt(2 * channels))
        self.out = nn.Parameter(torch.randn(channels, modes, 2) / math.sqrt(modes))
        self.scale = nn.Parameter(torch.log(-torch.expm1(-self.decay.detach().exp())))
        self.direct = nn.Parameter(torch.randn(channels, 1))

    def forward(self, signal: Tensor, state: Tensor) -> tuple[Tensor, Tensor]:
        """Filter `signal` [batch, channels, samples]; the state is float64 [batch, 2 modes]."""
        # Half precision has no place in a recursion.
        signal = signal.to(torch.float64 if signal.dtype == torch.float64 else torch.float32)
        out = torch.view_as_complex(self.out.double())
        output, state = diagonal_system(signal, self._log_pole(), self._into(), out, state)
        return torch.addcmul(output, signal, self.direct), state

    def settled(self, level: Tensor) -> Tensor:
        """Return the state after `level` [batch, channels] for ever."""
        return settled(self._log_pole(), self._into(), level)

    def _log_pole(self) -> Tensor:
        return torch.complex(-self.decay.double().exp(), self.turn.double().exp())

    def _into(self) -> Tensor:
        return torch.view_as_complex(self.into.double()) * self.scale.double().exp()[:, None]


class LRUBlock(nn.Module):
    """Filter, mix, let the condition act, gate, and add to the input."""

    def __init__(self, channels: int, modes: int, lowest: float) -> None:
        super().__init__()
        self.unit = Unit(channels, modes, lowest)
        self.linear = nn.Linear(channels, 2 * channels)

    def filter(self, signal: Tensor, state: Tensor) -> tuple[Tensor, Tensor]:
        """Filter and mix."""
        filtered, state = self.unit(signal, state)
        return mix(self.linear, filtered), state

    def settled(self, level: Tensor) -> Tensor:
        """Return the state of the unit."""
        return self.unit.settled(level[..., 0])

    def join(self, signal: Tensor, filtered: Tensor) -> Tensor:
        """Bend one half, gate it by the other, and add it to the input."""
        bent, gate = filtered.chunk(2, dim=1)
        return torch.addcmul(signal, torch.tanh(bent), torch.sigmoid(gate))

    def slow(self) -> Mapping[str, Mapping[str, float]]:
        """Return the rule of the recursion."""
        return {f"unit.{name}": POLE_RULE for name in ("decay", "turn", "scale")}
