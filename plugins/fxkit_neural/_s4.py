"""The modules behind `s4`."""

from __future__ import annotations

import math
from collections.abc import Mapping

import torch
from torch import Tensor, nn

from fxkit_neural._state_space import mix
from fxkit_signal.diagonal_bank import Lifted, diagonal_bank, lift, settled
from fxkit_signal.memo import Memo

# Poles move the sound of a whole layer: S4's authors train them slower than the rest, without decay.
POLE_RULE = {"lr": 0.5, "weight_decay": 0.0}


class Bank(nn.Module):
    """Filter each channel by `modes` pairs of complex poles exp(dt A), and by a direct gain.

    A starts as -1/2 + i pi k and dt, in samples, evenly on a logarithmic scale from 1/1000 to 1/10.
    """

    def __init__(self, channels: int, modes: int) -> None:
        super().__init__()
        low, high = math.log(0.001), math.log(0.1)
        self.log_dt = nn.Parameter(low + (high - low) * torch.rand(channels))
        self.log_decay = nn.Parameter(torch.full((channels, modes), math.log(0.5)))
        self.frequency = nn.Parameter((math.pi * torch.arange(modes)).repeat(channels, 1))
        self.gain = nn.Parameter(torch.randn(channels, modes, 2) * math.sqrt(0.5))
        self.direct = nn.Parameter(torch.randn(channels))
        self._lifted: Memo[Lifted] = Memo()

    def forward(self, signal: Tensor, state: Tensor) -> tuple[Tensor, Tensor]:
        """Filter `signal` [batch, channels, samples]; the state is float64 [batch, channels, 2 modes]."""
        # Half precision has no place in a recursion.
        kind = torch.float64 if signal.dtype == torch.float64 else torch.float32
        weights = self.log_dt, self.log_decay, self.frequency, self.gain, self.direct
        lifted = self._lifted(lambda: lift(*self._system(), kind), kind, *weights)
        return diagonal_bank(signal.to(kind), lifted, state)

    def settled(self, level: Tensor) -> Tensor:
        """Return the state after `level` [batch, channels] for ever."""
        return settled(self._system()[0], level)

    def _system(self) -> tuple[Tensor, Tensor, Tensor]:
        """Return the logarithms of the poles, the gains, and the direct gains, in double precision."""
        pole = torch.complex(-self.log_decay.double().exp(), self.frequency.double())
        log_pole = pole * self.log_dt.double().exp()[:, None]
        gain = torch.view_as_complex(self.gain.double())
        # Each pole stands for a conjugate pair; the input is held over a sample.
        return log_pole, 2 * gain * (log_pole.exp() - 1) / pole, self.direct.double()


class S4Block(nn.Module):
    """Mix the channels, bend, filter each, let the condition act, bend again, and add the input."""

    def __init__(self, channels: int, modes: int, residual: bool) -> None:
        super().__init__()
        self.linear = nn.Linear(channels, channels)
        self.bank = Bank(channels, modes)
        self.residual = nn.Parameter(torch.empty(channels, 1).uniform_(-1, 1)) if residual else None

    def filter(self, signal: Tensor, state: Tensor) -> tuple[Tensor, Tensor]:
        """Mix, bend and filter."""
        filtered: tuple[Tensor, Tensor] = self.bank(self._bent(signal), state)
        return filtered

    def settled(self, level: Tensor) -> Tensor:
        """Return the state of the bank."""
        return self.bank.settled(self._bent(level)[..., 0])

    def join(self, signal: Tensor, filtered: Tensor) -> Tensor:
        """Bend and add the input."""
        bent = torch.tanh(filtered)
        return bent if self.residual is None else torch.addcmul(bent, signal, self.residual)

    def slow(self) -> Mapping[str, Mapping[str, float]]:
        """Return the rule of poles and steps."""
        return {f"bank.{name}": POLE_RULE for name in ("log_dt", "log_decay", "frequency")}

    def _bent(self, signal: Tensor) -> Tensor:
        return mix(self.linear, signal).tanh_()
