"""What the networks of state-space layers share."""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from typing import Protocol, cast

import torch
from torch import Tensor, nn

from fxkit.protocols import Conditioning
from fxkit.values import State


class Block(Protocol):
    """Filter with memory, then bend without."""

    def filter(self, signal: Tensor, state: Tensor) -> tuple[Tensor, Tensor]:
        """Return what is bent later, from `signal` [batch, channels, samples], and the state."""

    def settled(self, level: Tensor) -> Tensor:
        """Return the state after `level` [batch, channels, 1] for ever."""

    def join(self, signal: Tensor, filtered: Tensor) -> Tensor:
        """Bend what was filtered, and modulated, and add it to the input."""

    def slow(self) -> Mapping[str, Mapping[str, float]]:
        """Return the rules of the weights that do not train like the rest."""


def mix(linear: nn.Linear, signal: Tensor) -> Tensor:
    """Apply a linear layer to the channels of `signal` [batch, channels, samples]."""
    return torch.baddbmm(linear.bias[:, None], linear.weight.expand(len(signal), -1, -1), signal)


class StateSpaceModule(nn.Module):
    """Run blocks; the state holds that of each block and those of the conditioning.

    `bent`: the output goes through tanh.
    """

    def __init__(
        self, sizes: tuple[int, int, int], blocks: Sequence[Block], conditioning: Conditioning, bent: bool
    ) -> None:
        super().__init__()
        inputs, channels, outputs = sizes
        self.expand = nn.Linear(inputs, channels)
        self.blocks = nn.ModuleList(cast("Sequence[nn.Module]", blocks))
        self.contract = nn.Linear(channels, outputs)
        self.conditioning = conditioning
        self.bent = bent

    def forward(
        self, audio: Tensor, params: Mapping[str, Tensor], state: State = None
    ) -> tuple[Tensor, State]:
        """Map `audio` [batch, channels, samples] to the same shape."""
        state = self._silence(audio, params) if state is None else state
        joined, guide, entered = self.conditioning.enter(audio, params, state["entered"])
        signal, memories, layers = mix(self.expand, joined), [], []
        for number, block in enumerate(self._chain()):
            filtered, memory = block.filter(signal, state["blocks"][number])
            filtered, layer = self.conditioning.modulate(number, filtered, guide, state["layers"][number])
            signal = block.join(signal, filtered)
            memories.append(memory)
            layers.append(layer)
        output = mix(self.contract, signal)
        after = {"entered": entered, "blocks": tuple(memories), "layers": tuple(layers)}
        return (torch.tanh(output) if self.bent else output), after

    def weight_rules(self) -> Mapping[str, Mapping[str, float]]:
        """Let what poles are made of learn slower, without decay."""
        return {
            f"blocks.{number}.{name}": rule
            for number, block in enumerate(self._chain())
            for name, rule in block.slow().items()
        }

    def _chain(self) -> list[Block]:
        return cast("list[Block]", list(self.blocks))

    def _silence(self, audio: Tensor, params: Mapping[str, Tensor]) -> dict[str, State]:
        # Biases and conditions make the inner signals of silence constants other than zero.
        first = {name: value[..., :1] for name, value in params.items()}
        level, guide, _ = self.conditioning.enter(audio.new_zeros(*audio.shape[:2], 1), first)
        signal, memories, layers = mix(self.expand, level), [], []
        for number, block in enumerate(self._chain()):
            memory = block.settled(signal)
            filtered, layer = self.conditioning.settle(number, block.filter(signal, memory)[0], guide)
            signal = block.join(signal, filtered)
            memories.append(memory)
            layers.append(layer)
        return {"entered": None, "blocks": tuple(memories), "layers": tuple(layers)}
