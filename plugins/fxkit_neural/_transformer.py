"""The modules behind `transformer`."""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from typing import Any, cast

import attrs
import torch
from torch import Tensor, nn
from torch.nn import functional

from fxkit.protocols import Conditioning
from fxkit.values import Guide, State
from fxkit_signal.attention import windowed_attention
from fxkit_signal.dilated import dilated, past_after
from fxkit_signal.patches import between_patches, complete_patches

Params = Mapping[str, Tensor]
# The mean square below which the level of a patch counts as silence: -80 dB.
FLOOR = 1e-8


@attrs.frozen(kw_only=True)
class Sizes:
    """Hold the sizes of a transformer; see the options of `transformer`."""

    inputs: int
    outputs: int
    patch: int
    window: int
    dim: int
    heads: int
    layers: int
    channels: int
    kernel: int
    dilations: Sequence[int]
    skip: bool


class Layer(nn.Module):
    """Attend, then apply a perceptron, each to normalised tokens and added to them (Xiong et al., 2020)."""

    def __init__(self, dim: int, heads: int, window: int) -> None:
        super().__init__()
        if dim % (2 * heads):
            raise ValueError(f"tokens of {dim} cannot be shared by {heads} heads in pairs")
        self.heads, self.window = heads, window
        self.before = nn.LayerNorm(dim)
        self.project = nn.Linear(dim, 3 * dim)
        self.mix = nn.Linear(dim, dim)
        self.perceptron = nn.Sequential(
            nn.LayerNorm(dim), nn.Linear(dim, 2 * dim), nn.GELU(), nn.Linear(2 * dim, dim)
        )

    def forward(self, tokens: Tensor, keys: Tensor, values: Tensor) -> tuple[Tensor, Tensor, Tensor]:
        """Map `tokens` [batch, n, dim], after those of `keys` and `values` [batch, window - 1, dim]."""
        query, key, value = self.project(self.before(tokens)).chunk(3, dim=-1)
        keys, values = torch.cat((keys, key), dim=1), torch.cat((values, value), dim=1)
        asked, told, given = (self._heads(item) for item in (query, keys, values))
        heard = windowed_attention(asked, told, given, self.window).transpose(1, 2).flatten(2)
        kept = slice(keys.shape[1] - self.window + 1, None)
        return self._added(tokens, heard), keys[:, kept].clone(), values[:, kept].clone()

    def settled(self, token: Tensor) -> tuple[Tensor, Tensor, Tensor]:
        """Return what `token` [batch, 1, dim] becomes when it has always been that, its key and value."""
        _, key, value = self.project(self.before(token)).chunk(3, dim=-1)
        past = (-1, self.window - 1, -1)
        return self._added(token, value), key.expand(past), value.expand(past)

    def _heads(self, tokens: Tensor) -> Tensor:
        split: Tensor = tokens.unflatten(-1, (self.heads, -1))
        return split.transpose(1, 2)

    def _added(self, tokens: Tensor, heard: Tensor) -> Tensor:
        tokens = tokens + self.mix(heard)
        return cast(Tensor, tokens + self.perceptron(tokens))


class Tokens(nn.Module):
    """Turn patches into what steers the convolutions, [batch, n, outputs]."""

    def __init__(self, sizes: Sizes, outputs: int) -> None:
        super().__init__()
        self.embed = nn.Linear(sizes.inputs * (sizes.patch + 1), sizes.dim)
        self.place = nn.Linear(sizes.dim, sizes.dim)
        layers = [Layer(sizes.dim, sizes.heads, sizes.window) for _ in range(sizes.layers)]
        self.layers = nn.ModuleList(layers)
        self.last = nn.LayerNorm(sizes.dim)
        self.steer = nn.Linear(sizes.dim, outputs)
        with torch.no_grad():
            self.steer.weight.mul_(0.1)
            self.steer.bias.zero_()

    def forward(self, patches: Tensor, cache: Mapping[str, Tensor]) -> tuple[Tensor, dict[str, Tensor]]:
        """Map `patches` [batch, n, channels, patch] with the `cache` of the tokens before them."""
        tokens, keys, values = self._embedded(patches), [], []
        for index, layer in enumerate(self._layers()):
            tokens, key, value = layer(tokens, cache["keys"][:, index], cache["values"][:, index])
            keys.append(key)
            values.append(value)
        return self._steered(tokens), {"keys": torch.stack(keys, 1), "values": torch.stack(values, 1)}

    def settled(self, patch: Tensor) -> tuple[Tensor, dict[str, Tensor]]:
        """Return what steers, and the cache, after `patch` [batch, 1, channels, patch] for ever."""
        token, keys, values = self._embedded(patch), [], []
        for layer in self._layers():
            token, key, value = layer.settled(token)
            keys.append(key)
            values.append(value)
        return self._steered(token), {"keys": torch.stack(keys, 1), "values": torch.stack(values, 1)}

    def _layers(self) -> list[Layer]:
        return cast("list[Layer]", list(self.layers))

    def _embedded(self, patches: Tensor) -> Tensor:
        level = 0.1 * torch.log(patches.square().mean(-1, keepdim=True) + FLOOR) + 1.0
        return cast(
            Tensor, self.place(functional.gelu(self.embed(torch.cat((patches, level), dim=-1).flatten(2))))
        )

    def _steered(self, tokens: Tensor) -> Tensor:
        return cast(Tensor, self.steer(self.last(tokens)))


class Gate(nn.Module):
    """Convolve with the past, add what steers it, and let one half of the channels gate the other."""

    def __init__(self, channels: int, kernel: int, dilation: int, last: bool) -> None:
        super().__init__()
        self.dilation = dilation
        self.history = (kernel - 1) * dilation
        self.convolution = nn.Conv1d(channels, 2 * channels, kernel, dilation=dilation)
        self.mix = None if last else nn.Conv1d(channels, channels, 1, bias=False)

    def convolved(self, signal: Tensor, past: Tensor, steer: Tensor, activation: str = "") -> Tensor:
        """Return the convolution of `past` and `signal` with `steer` added, then the activation."""
        weight, bias = self.convolution.weight, self.convolution.bias
        return dilated(signal, past, weight, bias, self.dilation, add=steer, activation=activation)

    def level(self, signal: Tensor, steer: Tensor) -> Tensor:
        """Return the sum before the gate when `signal` [batch, channels, 1] has been that for ever."""
        weight = self.convolution.weight.sum(-1, keepdim=True)
        return functional.conv1d(signal, weight, self.convolution.bias) + steer

    def mixed(self, signal: Tensor, gated: Tensor) -> Tensor:
        """Return what the next convolution reads."""
        return signal if self.mix is None else signal + cast(Tensor, self.mix(gated))


class TransformerModule(nn.Module):
    """Steer gated convolutions by tokens.

    The state holds the patch that was begun and how much of it is there, keys and values of the last
    tokens, what the last two of them steer to, the past of each convolution, and the conditioning's.
    """

    def __init__(self, sizes: Sizes, conditioning: Conditioning, fused: bool) -> None:
        super().__init__()
        self.sizes = sizes
        count = len(sizes.dilations)
        self.splits = [2 * sizes.channels] * count + ([sizes.outputs] if sizes.skip else [])
        self.enter = nn.Conv1d(sizes.inputs, sizes.channels, 1, bias=False)
        # Audio is small against 1: with the usual weights every gate would begin next to linear.
        with torch.no_grad():
            self.enter.weight[:, : sizes.outputs].mul_(10.0)
        gates = [
            Gate(sizes.channels, sizes.kernel, dilation, index == count - 1)
            for index, dilation in enumerate(sizes.dilations)
        ]
        self.gates = nn.ModuleList(gates)
        self.head = nn.Conv1d(sizes.channels, sizes.outputs, 1)
        self.tokens = Tokens(sizes, sum(self.splits))
        self.conditioning = conditioning
        # With nothing between convolution and gate they are one call.
        self.fused = fused

    def forward(self, audio: Tensor, params: Params, state: State = None) -> tuple[Tensor, State]:
        """Map `audio` [batch, channels, samples] to the same shape."""
        state = self._silence(audio, params) if state is None else state
        read, guide, entered = self.conditioning.enter(audio, params, state["entered"])
        filled = int(state["filled"])
        patches, begun, left = complete_patches(read, state["begun"], filled)
        points, cache = state["steer"], state["cache"]
        if patches.shape[1]:
            steer, cache = self.tokens(patches, cache)
            points = torch.cat((points, steer.transpose(1, 2)), dim=-1)
        steered = between_patches(points, self.sizes.patch, filled, audio.shape[-1])
        steers = steered.split(self.splits, dim=1)
        output, pasts, layers = self._convolved(read, steers, guide, state)
        after = {
            "entered": entered, "begun": begun, "filled": torch.tensor(left), "cache": cache,
            "steer": points[..., -2:].clone(), "pasts": pasts, "layers": layers,
        }  # fmt: skip
        return (output + audio * (1 + steers[-1]) if self.sizes.skip else output), after

    def _gates(self) -> list[Gate]:
        return cast("list[Gate]", list(self.gates))

    def _convolved(
        self, read: Tensor, steers: Sequence[Tensor], guide: Guide, state: Mapping[str, Any]
    ) -> tuple[Tensor, tuple[Tensor, ...], tuple[State, ...]]:
        signal = self.enter(read)
        sums, pasts, layers = [], [], []
        for index, gate in enumerate(self._gates()):
            past, layer = state["pasts"][index], state["layers"][index]
            if self.fused:
                gated = gate.convolved(signal, past, steers[index], "gated")
            else:
                wide = gate.convolved(signal, past, steers[index])
                wide, layer = self.conditioning.modulate(index, wide, guide, layer)
                gated = gated_halves(wide)
            pasts.append(past_after(signal, past))
            layers.append(layer)
            sums.append(gated)
            signal = gate.mixed(signal, gated)
        return self.head(sum(sums[1:], sums[0])), tuple(pasts), tuple(layers)

    def _silence(self, audio: Tensor, params: Params) -> dict[str, Any]:
        """Return the state that silence for ever has brought; biases make its inner signals constants."""
        first = {name: value[..., :1] for name, value in params.items()}
        read, guide, _ = self.conditioning.enter(audio.new_zeros(*audio.shape[:2], 1), first, None)
        begun = read.expand(-1, -1, self.sizes.patch)
        steer, cache = self.tokens.settled(begun[:, None])
        points = steer.transpose(1, 2)
        signal, pasts, layers = self.enter(read), [], []
        for index, (gate, moved) in enumerate(zip(self._gates(), points.split(self.splits, 1), strict=False)):
            pasts.append(signal.expand(-1, -1, gate.history))
            level, layer = self.conditioning.settle(index, gate.level(signal, moved), guide)
            layers.append(layer)
            signal = gate.mixed(signal, gated_halves(level))
        return {
            "entered": None, "begun": begun, "filled": torch.tensor(0), "cache": cache,
            "steer": points.expand(-1, -1, 2), "pasts": tuple(pasts), "layers": tuple(layers),
        }  # fmt: skip


def gated_halves(signal: Tensor) -> Tensor:
    """Return the tangent of the first half of the channels times the sigmoid of the second."""
    first, second = signal.chunk(2, dim=1)
    return torch.tanh(first) * torch.sigmoid(second)
