"""The modules behind `gcn`."""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from typing import cast

from torch import Tensor, nn

from fxkit.protocols import Conditioning
from fxkit.values import State
from fxkit_signal.dilated import ACTIVATIONS, dilated
from fxkit_signal.past import kept_after, recalled


class Block(nn.Module):
    """Convolve with the past to twice the channels, let one half gate the other, mix, and add the input."""

    idle_weight: Tensor
    idle_bias: Tensor

    def __init__(
        self,
        inputs: int,
        channels: int,
        kernel: int,
        dilation: int,
        bias: bool,
        residual: bool,
        *,
        last: bool,
    ) -> None:
        super().__init__()
        self.dilation = dilation
        self.history = (kernel - 1) * dilation
        self.convolution = nn.Conv1d(inputs, 2 * channels, kernel, dilation=dilation, bias=bias)
        mix = nn.Conv1d(channels, channels, 1, bias=bias)
        self.mix = None if last else mix
        if last:
            for name, value in mix.named_parameters():
                self.register_buffer(f"idle_{name}", value.detach())
        self.adds = residual and not last
        mixes = self.adds and inputs not in (1, channels)
        self.residual = nn.Conv1d(inputs, channels, 1, bias=False) if mixes else None

    def convolved(self, signal: Tensor, past: Tensor, activation: str) -> Tensor:
        """Return the convolution of `signal` [batch, inputs, samples] with `past` before it."""
        weight, bias = self.convolution.weight, self.convolution.bias
        return dilated(signal, past, weight, bias, self.dilation, activation=activation)

    def passed_on(self, signal: Tensor, gated: Tensor) -> Tensor:
        """Return what the next block reads."""
        if self.mix is None:
            return signal
        beside = signal if self.residual is None else _mixed(signal, self.residual.weight, None, None)
        return _mixed(gated, self.mix.weight, self.mix.bias, beside if self.adds else None)

    def settled(self, level: Tensor) -> Tensor:
        """Return the convolution of an input that has been at `level` [batch, inputs, 1] for ever."""
        weight = self.convolution.weight.sum(dim=-1, keepdim=True)
        return nn.functional.conv1d(level, weight, self.convolution.bias)


class GCNModule(nn.Module):
    """Run the blocks and mix what they gave; the state holds each block's past and the conditioning's."""

    def __init__(
        self,
        blocks: Sequence[Block],
        channels: int,
        outputs: int,
        *,
        bias: bool,
        conditioning: Conditioning,
        modulated: bool,
    ) -> None:
        super().__init__()
        self.blocks = nn.ModuleList(blocks)
        self.head = nn.Conv1d(channels * len(blocks), outputs, 1, bias=bias)
        self.conditioning = conditioning
        # With nothing between convolution and gate they are one call.
        self.modulated = modulated

    def forward(
        self, audio: Tensor, params: Mapping[str, Tensor], state: State = None
    ) -> tuple[Tensor, State]:
        """Map `audio` [batch, channels, samples] to the same shape."""
        state = self._silence(audio, params) if state is None else state
        signal, guide, entered = self.conditioning.enter(audio, params, state["entered"])
        output, pasts, layers = None, [], []
        heads = self.head.weight.chunk(len(self.blocks), dim=1)
        for number, block in enumerate(self._chain()):
            kept, layer = state["pasts"][number], state["layers"][number]
            past = recalled(kept, block.history)
            pasts.append(kept_after(signal, kept, block.history))
            if self.modulated:
                summed = block.convolved(signal, past, "")
                summed, layer = self.conditioning.modulate(number, summed, guide, layer)
                gated = ACTIVATIONS["gated"](summed)
            else:
                gated = block.convolved(signal, past, "gated")
            layers.append(layer)
            # Summed one by one, so that the outputs of all blocks need not stand side by side.
            output = _mixed(gated, heads[number], self.head.bias if output is None else None, output)
            signal = block.passed_on(signal, gated)
        return cast(Tensor, output), {"entered": entered, "pasts": tuple(pasts), "layers": tuple(layers)}

    def _chain(self) -> list[Block]:
        return cast("list[Block]", list(self.blocks))

    def _silence(self, audio: Tensor, params: Mapping[str, Tensor]) -> dict[str, State]:
        # Biases and conditions make the inner signals of silence constants other than zero.
        first = {name: value[..., :1] for name, value in params.items()}
        level, guide, _ = self.conditioning.enter(audio.new_zeros(*audio.shape[:2], 1), first)
        pasts, layers = [], []
        for number, block in enumerate(self._chain()):
            pasts.append(level.expand(-1, -1, block.history))
            summed, layer = self.conditioning.settle(number, block.settled(level), guide)
            level = block.passed_on(level, ACTIVATIONS["gated"](summed))
            layers.append(layer)
        return {"entered": None, "pasts": tuple(pasts), "layers": tuple(layers)}


def _mixed(signal: Tensor, weight: Tensor, bias: Tensor | None, add: Tensor | None) -> Tensor:
    """Mix channels by a convolution of one tap, and add."""
    return dilated(signal, signal[..., :0], weight, bias, 1, add=add)
