"""The modules behind `lru`."""

from __future__ import annotations

import math
from collections.abc import Mapping

import torch
from torch import Tensor, nn

from fxkit_neural._state_space import mix
from fxkit_signal.diagonal_system import Coupled, couple, diagonal_system, settled
from fxkit_signal.memo import Memo

# As Orvieto et al. have it: the recursion trains slower than the rest, without decay.
POLE_RULE = {"lr": 0.5, "weight_decay": 0.0}
LOWEST_HZ = 5.0
# Gain of each mode at its resonance at the start: enough to drive what bends behind it.
PEAK = 4.0


class Unit(nn.Module):
    """Drive `modes` complex poles by all channels and read all channels from them.

    Poles are exp(-exp(decay) + i exp(turn)) and so never outside the unit circle. Decays start evenly on a
    logarithmic scale, from `lowest` to 1 per sample, turns within a factor of ten of their pole's decay.
    """

    def __init__(self, channels: int, modes: int, lowest: float) -> None:
        super().__init__()
        low = math.log(lowest)
        self.decay = nn.Parameter(low - low * torch.rand(modes))
        turn = self.decay.detach() + math.log(10.0) * (2 * torch.rand(modes) - 1)
        self.turn = nn.Parameter(turn.clamp(max=math.log(math.pi)))
        self.into = nn.Parameter(torch.randn(modes, channels, 2) / math.sqrt(2 * channels))
        self.out = nn.Parameter(torch.randn(channels, modes, 2) / math.sqrt(modes))
        resonance = -torch.expm1(-self.decay.detach().exp())
        self.scale = nn.Parameter(torch.log(PEAK * resonance))
        self.direct = nn.Parameter(torch.randn(channels, 1))
        self._coupled: Memo[Coupled] = Memo()

    def forward(self, signal: Tensor, state: Tensor) -> tuple[Tensor, Tensor]:
        """Filter `signal` [batch, channels, samples]; the state is float64 [batch, 2 modes]."""
        # Half precision has no place in a recursion.
        kind = torch.float64 if signal.dtype == torch.float64 else torch.float32
        signal, weights = signal.to(kind), (self.decay, self.turn, self.into, self.scale, self.out)
        system = self._coupled(lambda: couple(*self._system(), kind), kind, *weights)
        output, state = diagonal_system(signal, system, state)
        return torch.addcmul(output, signal, self.direct), state

    def settled(self, level: Tensor) -> Tensor:
        """Return the state after `level` [batch, channels] for ever."""
        log_pole, into, _ = self._system()
        return settled(log_pole, into, level)

    def _system(self) -> tuple[Tensor, Tensor, Tensor]:
        """Return the logarithms of the poles and the matrices around them, in double precision."""
        log_pole = torch.complex(-self.decay.double().exp(), self.turn.double().exp())
        into = torch.view_as_complex(self.into.double()) * self.scale.double().exp()[:, None]
        return log_pole, into, torch.view_as_complex(self.out.double())


class LRUBlock(nn.Module):
    """Mix the channels, bend, filter, mix, let the condition act, gate, and add to the input."""

    def __init__(self, channels: int, modes: int, lowest: float) -> None:
        super().__init__()
        self.enter = nn.Linear(channels, channels)
        self.unit = Unit(channels, modes, lowest)
        self.leave = nn.Linear(channels, 2 * channels)

    def filter(self, signal: Tensor, state: Tensor) -> tuple[Tensor, Tensor]:
        """Mix, bend, filter and mix."""
        filtered, state = self.unit(self._bent(signal), state)
        return mix(self.leave, filtered), state

    def settled(self, level: Tensor) -> Tensor:
        """Return the state of the unit."""
        return self.unit.settled(self._bent(level)[..., 0])

    def join(self, signal: Tensor, filtered: Tensor) -> Tensor:
        """Bend one half, gate it by the other, and add it to the input."""
        bent, gate = filtered.chunk(2, dim=1)
        return torch.addcmul(signal, torch.tanh(bent), torch.sigmoid(gate))

    def slow(self) -> Mapping[str, Mapping[str, float]]:
        """Return the rule of the recursion."""
        return {f"unit.{name}": POLE_RULE for name in ("decay", "turn", "scale")}

    def _bent(self, signal: Tensor) -> Tensor:
        return mix(self.enter, signal).tanh_()
