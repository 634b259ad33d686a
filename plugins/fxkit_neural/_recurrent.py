"""The module behind `lstm` and `gru`."""

from __future__ import annotations

from collections.abc import Mapping
from typing import Any

import torch
from torch import Tensor, nn

from fxkit.protocols import Conditioning
from fxkit.values import Guide, State
from fxkit_signal.memo import Memo
from fxkit_signal.recurrent import gru_layer, is_compiled, lstm_layer

NETWORKS: Mapping[str, tuple[Any, Any]] = {"lstm": (nn.LSTM, lstm_layer), "gru": (nn.GRU, gru_layer)}


class RecurrentModule(nn.Module):
    """Run recurrent layers and a linear one over the samples.

    `recurrent` is a module of torch, of which the weights alone are used where the compiled kernels run.
    The state holds (h, c) of each LSTM layer, or (h,) of each GRU layer, each [batch, hidden], and those of
    the conditioning. `plain`: no
    condition acts between the layers.
    """

    def __init__(
        self,
        kind: str,
        sizes: tuple[int, int, int],
        layers: int,
        conditioning: Conditioning,
        *,
        skip: bool,
        bent: bool,
        learned: bool,
        plain: bool,
    ) -> None:
        super().__init__()
        inputs, hidden, outputs = sizes
        network, self.layer = NETWORKS[kind]
        # One layer is one operation either way.
        self.skip, self.bent, self.plain = skip, bent, plain and layers > 1
        self.recurrent = network(inputs, hidden, layers, batch_first=True)
        self.head = nn.Linear(hidden, outputs)
        self.conditioning = conditioning
        self.starts = ("hidden", "cell")[: 2 if kind == "lstm" else 1]
        for name in self.starts:
            zero = torch.zeros(layers, hidden)
            self.register_parameter(f"initial_{name}", nn.Parameter(zero) if learned else None)
        self._laid: list[Memo[Any]] = [Memo() for _ in range(layers)]

    def forward(
        self, audio: Tensor, params: Mapping[str, Tensor], state: State = None
    ) -> tuple[Tensor, State]:
        """Map `audio` [batch, channels, samples] to the same shape."""
        state = self._start(audio, params) if state is None else state
        read, guide, entered = self.conditioning.enter(audio, params, state["entered"])
        signal = read.transpose(1, 2)
        if self.plain and not is_compiled(signal, self.head.in_features):
            signal, memories = self._all_layers(signal, state["memories"])
            layers = state["layers"]
        else:
            signal, memories, layers = self._each_layer(signal, guide, state)
        output = self.head(signal).transpose(1, 2)
        output = audio + output if self.skip else output
        after = {"entered": entered, "memories": memories, "layers": layers}
        return (torch.tanh(output) if self.bent else output), after

    def _each_layer(
        self, signal: Tensor, guide: Guide, state: Mapping[str, Any]
    ) -> tuple[Tensor, tuple[State, ...], tuple[State, ...]]:
        memories, layers = [], []
        for index, weights in enumerate(self.recurrent.all_weights):
            hidden, memory = self.layer(signal, weights, state["memories"][index], self._laid[index])
            moved, layer = self.conditioning.modulate(
                index, hidden.transpose(1, 2), guide, state["layers"][index]
            )
            signal = moved.transpose(1, 2)
            memories.append(memory)
            layers.append(layer)
        return signal, tuple(memories), tuple(layers)

    def _all_layers(
        self, signal: Tensor, memories: tuple[tuple[Tensor, ...], ...]
    ) -> tuple[Tensor, tuple[tuple[Tensor, ...], ...]]:
        """Run all layers by one operation of torch, which accelerators do best."""
        stacked = [torch.stack(parts) for parts in zip(*memories, strict=True)]
        signal, after = self.recurrent(signal, tuple(stacked) if len(stacked) > 1 else stacked[0])
        parts = after if len(stacked) > 1 else (after,)
        return signal, tuple(zip(*(part.unbind(0) for part in parts), strict=True))

    def _start(self, audio: Tensor, params: Mapping[str, Tensor]) -> dict[str, State]:
        """Return the state before the first sample: zeros, or what was learned."""
        first = {name: value[..., :1] for name, value in params.items()}
        _, guide, _ = self.conditioning.enter(audio.new_zeros(*audio.shape[:2], 1), first)
        memories, layers = [], []
        for index in range(self.recurrent.num_layers):
            memory = tuple(self._initial(name, index, audio.shape[0]) for name in self.starts)
            layers.append(self.conditioning.settle(index, memory[0][..., None], guide)[1])
            memories.append(memory)
        return {"entered": None, "memories": tuple(memories), "layers": tuple(layers)}

    def _initial(self, name: str, layer: int, batch: int) -> Tensor:
        learned = getattr(self, f"initial_{name}")
        if learned is None:
            return self.head.weight.new_zeros(batch, self.head.in_features)
        start: Tensor = learned[layer].expand(batch, -1)
        return start
