"""The modules behind `tcn`."""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from typing import cast

import torch
from torch import Tensor, nn

from fxkit.protocols import Conditioning
from fxkit.values import State
from fxkit_signal.dilated import dilated
from fxkit_signal.past import kept_after, recalled


class Block(nn.Module):
    """Convolve with the past, bend by tanh, and add the input with a gain per channel.

    The residual path is delayed by `delay` samples, as far as the convolution's centre, so that both
    paths meet at the same sample.
    """

    def __init__(
        self, inputs: int, channels: int, kernel: int, dilation: int, delay: int, bias: bool, residual: bool
    ) -> None:
        super().__init__()
        self.dilation = dilation
        self.history = (kernel - 1) * dilation
        self.delay = delay
        self.convolution = nn.Conv1d(inputs, channels, kernel, dilation=dilation, bias=bias)
        groups = inputs if inputs == channels else 1
        self.residual = nn.Conv1d(inputs, channels, 1, groups=groups, bias=False) if residual else None
        self.mixes = inputs not in (1, channels)

    def forward(self, signal: Tensor, past: Tensor) -> Tensor:
        """Map `signal` [batch, inputs, samples], with `past` before it, to [batch, channels, samples]."""
        gain = self._gain()
        fused = gain is not None and not self.delay
        bent = self._convolved(signal, past, "tanh", gain if fused else None)
        return bent if fused else self.joined(signal, past, bent)

    def convolved(self, signal: Tensor, past: Tensor) -> Tensor:
        """Return the convolution alone, where something else is to be done before the tanh."""
        return self._convolved(signal, past, "", None)

    def joined(self, signal: Tensor, past: Tensor, bent: Tensor) -> Tensor:
        """Return `bent`, what the tanh gave, with the residual path added."""
        if self.residual is None:
            return bent
        if self.delay:
            joined = torch.cat((past, signal), dim=-1)
            start = self.history - self.delay
            signal = joined[..., start : start + signal.shape[-1]]
        gain = self._gain()
        if gain is not None:
            return torch.addcmul(bent, gain[..., 0], signal)
        return dilated(signal, signal[..., :0], self.residual.weight, None, 1, add=bent)

    def settled(self, level: Tensor) -> Tensor:
        """Return the convolution of an input that has been at `level` [batch, inputs, 1] for ever."""
        weight = self.convolution.weight.sum(dim=-1, keepdim=True)
        return nn.functional.conv1d(level, weight, self.convolution.bias)

    def _convolved(self, signal: Tensor, past: Tensor, activation: str, gain: Tensor | None) -> Tensor:
        weight, bias = self.convolution.weight, self.convolution.bias
        return dilated(signal, past, weight, bias, self.dilation, activation=activation, gain=gain)

    def _gain(self) -> Tensor | None:
        """Return the gains of the residual path, unless it mixes channels."""
        return None if self.residual is None or self.mixes else self.residual.weight


class TCNModule(nn.Module):
    """Run the blocks and mix down; the state holds the past input of each block and the conditioning's."""

    def __init__(
        self,
        blocks: Sequence[Block],
        channels: int,
        outputs: int,
        *,
        bounded: bool,
        conditioning: Conditioning,
        modulated: bool,
    ) -> None:
        super().__init__()
        self.blocks = nn.ModuleList(blocks)
        self.head = nn.Conv1d(channels, outputs, 1)
        self.conditioning = conditioning
        self.bend = "tanh" if bounded else ""
        # With nothing between convolution and tanh they are one call.
        self.modulated = modulated

    def forward(
        self, audio: Tensor, params: Mapping[str, Tensor], state: State = None
    ) -> tuple[Tensor, State]:
        """Map `audio` [batch, channels, samples] to the same shape."""
        state = self._silence(audio, params) if state is None else state
        signal, guide, entered = self.conditioning.enter(audio, params, state["entered"])
        pasts, layers = [], []
        for number, block in enumerate(self._chain()):
            kept, layer = state["pasts"][number], state["layers"][number]
            past = recalled(kept, block.history)
            pasts.append(kept_after(signal, kept, block.history))
            if self.modulated:
                summed = block.convolved(signal, past)
                summed, layer = self.conditioning.modulate(number, summed, guide, layer)
                signal = block.joined(signal, past, torch.tanh(summed))
            else:
                signal = block(signal, past)
            layers.append(layer)
        weight, bias = self.head.weight, self.head.bias
        output = dilated(signal, signal[..., :0], weight, bias, 1, activation=self.bend)
        return output, {"entered": entered, "pasts": tuple(pasts), "layers": tuple(layers)}

    def _chain(self) -> list[Block]:
        return cast("list[Block]", list(self.blocks))

    def _silence(self, audio: Tensor, params: Mapping[str, Tensor]) -> dict[str, State]:
        # Biases and conditions make the inner signals of silence constants other than zero.
        first = {name: value[..., :1] for name, value in params.items()}
        level, guide, _ = self.conditioning.enter(audio.new_zeros(*audio.shape[:2], 1), first)
        pasts, layers = [], []
        for number, block in enumerate(self._chain()):
            past = level.expand(-1, -1, block.history)
            summed, layer = self.conditioning.settle(number, block.settled(level), guide)
            level = block.joined(level, past, torch.tanh(summed))
            pasts.append(past)
            layers.append(layer)
        return {"entered": None, "pasts": tuple(pasts), "layers": tuple(layers)}
