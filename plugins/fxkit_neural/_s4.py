"""The modules behind `s4`."""

from __future__ import annotations

import math
from collections.abc import Mapping
from typing import cast

import torch
from torch import Tensor, nn

from fxkit.protocols import Conditioning
from fxkit.values import State
from fxkit_signal.diagonal_bank import Lifted, diagonal_bank, lift, settled
from fxkit_signal.memo import Memo

# Poles move the sound of a whole layer; S4's authors train them slower than the rest, without decay.
POLE_RULE = {"lr": 0.1, "weight_decay": 0.0}


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


class Block(nn.Module):
    """Mix the channels, bend, filter each, let the condition act, bend again, and add the input."""

    def __init__(self, channels: int, modes: int, residual: bool) -> None:
        super().__init__()
        self.linear = nn.Linear(channels, channels)
        self.bank = Bank(channels, modes)
        self.residual = nn.Parameter(torch.empty(channels, 1).uniform_(-1, 1)) if residual else None

    def bent(self, signal: Tensor) -> Tensor:
        """Return what the filters read of `signal` [batch, channels, samples]."""
        return mix(self.linear, signal).tanh_()

    def joined(self, signal: Tensor, filtered: Tensor) -> Tensor:
        """Return the output, from the input and what the filters and the condition made of it."""
        bent = torch.tanh(filtered)
        return bent if self.residual is None else torch.addcmul(bent, signal, self.residual)


def mix(linear: nn.Linear, signal: Tensor) -> Tensor:
    """Apply a linear layer to the channels of `signal` [batch, channels, samples]."""
    return torch.baddbmm(linear.bias[:, None], linear.weight.expand(len(signal), -1, -1), signal)


class S4Module(nn.Module):
    """Run the blocks; the state holds that of each bank and those of the conditioning."""

    def __init__(
        self, inputs: int, outputs: int, channels: int, blocks: list[Block], conditioning: Conditioning
    ) -> None:
        super().__init__()
        self.expand = nn.Linear(inputs, channels)
        self.blocks = nn.ModuleList(blocks)
        self.contract = nn.Linear(channels, outputs)
        self.conditioning = conditioning

    def forward(
        self, audio: Tensor, params: Mapping[str, Tensor], state: State = None
    ) -> tuple[Tensor, State]:
        """Map `audio` [batch, channels, samples] to the same shape."""
        state = self._silence(audio, params) if state is None else state
        joined, guide, entered = self.conditioning.enter(audio, params, state["entered"])
        signal, banks, layers = mix(self.expand, joined), [], []
        for number, block in enumerate(self._chain()):
            filtered, bank = block.bank(block.bent(signal), state["banks"][number])
            filtered, layer = self.conditioning.modulate(number, filtered, guide, state["layers"][number])
            signal = block.joined(signal, filtered)
            banks.append(bank)
            layers.append(layer)
        after = {"entered": entered, "banks": tuple(banks), "layers": tuple(layers)}
        return torch.tanh(mix(self.contract, signal)), after

    def weight_rules(self) -> Mapping[str, Mapping[str, float]]:
        """Let poles and steps learn slower, without decay."""
        names = ("log_dt", "log_decay", "frequency")
        return {f"blocks.{i}.bank.{name}": POLE_RULE for i in range(len(self.blocks)) for name in names}

    def _chain(self) -> list[Block]:
        return cast("list[Block]", list(self.blocks))

    def _silence(self, audio: Tensor, params: Mapping[str, Tensor]) -> dict[str, State]:
        # Biases and conditions make the inner signals of silence constants other than zero.
        first = {name: value[..., :1] for name, value in params.items()}
        level, guide, _ = self.conditioning.enter(audio.new_zeros(*audio.shape[:2], 1), first)
        signal, banks, layers = mix(self.expand, level), [], []
        for number, block in enumerate(self._chain()):
            bent = block.bent(signal)
            bank = block.bank.settled(bent[..., 0])
            filtered, layer = self.conditioning.settle(number, block.bank(bent, bank)[0], guide)
            signal = block.joined(signal, filtered)
            banks.append(bank)
            layers.append(layer)
        return {"entered": None, "banks": tuple(banks), "layers": tuple(layers)}
