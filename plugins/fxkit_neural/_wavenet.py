"""The modules behind `wavenet`."""

from __future__ import annotations

from collections.abc import Callable, Mapping, Sequence
from typing import TYPE_CHECKING, cast

import torch
from torch import nn

from fxkit.protocols import Conditioning
from fxkit.values import State
from fxkit_signal.dilated import dilated, past_after
from fxkit_signal.layer_stack import ArrayWeights, LayerWeights, Packed, fits, learned, learns, pack, stacked
from fxkit_signal.memo import Memo

if TYPE_CHECKING:
    from fxkit_neural.wavenet import LayerArray

Bend = Callable[[torch.Tensor], torch.Tensor]


def _leaky_hardtanh(signal: torch.Tensor) -> torch.Tensor:
    return signal.clamp(-1, 1) + 0.01 * (signal - signal.clamp(-1, 1))


def _softsigmoid(signal: torch.Tensor) -> torch.Tensor:
    return 0.5 * (1 + nn.functional.softsign(signal))


ACTIVATIONS: Mapping[str, Bend] = {
    "tanh": torch.tanh,
    "relu": torch.relu,
    "leaky-relu": nn.functional.leaky_relu,
    "sigmoid": torch.sigmoid,
    "silu": nn.functional.silu,
    "hardtanh": nn.functional.hardtanh,
    "hardswish": nn.functional.hardswish,
    "softsign": nn.functional.softsign,
    "softsigmoid": _softsigmoid,
    "leaky-hardtanh": _leaky_hardtanh,
}
# What the convolution does in the same pass.
FUSED = ("tanh", "relu", "leaky-relu", "sigmoid")


def bend_of(array: LayerArray) -> Bend:
    """Return what the layers of an array do to the sum of convolution and input."""
    straight, gate = ACTIVATIONS[array.activation], ACTIVATIONS[array.gate]

    def gated(signal: torch.Tensor) -> torch.Tensor:
        heard, opening = signal.chunk(2, dim=1)
        return straight(heard) * gate(opening)

    def blended(signal: torch.Tensor) -> torch.Tensor:
        heard, opening = signal.chunk(2, dim=1)
        return heard + gate(opening) * (straight(heard) - heard)

    return {"none": straight, "gated": gated, "blended": blended}[array.gating]


def fused_of(array: LayerArray) -> str:
    """Return the name of what the convolution can do of that in the same pass; empty for nothing."""
    if array.gating == "none":
        return array.activation if array.activation in FUSED else ""
    return "gated" if (array.gating, array.activation, array.gate) == ("gated", "tanh", "sigmoid") else ""


class Idle1x1(nn.Module):
    """Hold the weights of a 1x1 convolution that leads nowhere, so that files keep them; untrained."""

    weight: torch.Tensor
    bias: torch.Tensor

    def __init__(self, inputs: int, outputs: int) -> None:
        super().__init__()
        drawn = nn.Conv1d(inputs, outputs, 1)
        for name, value in drawn.named_parameters():
            self.register_buffer(name, value.detach())


class Layer(nn.Module):
    """Convolve with the past, add the input, bend; give that to the head and, by a 1x1, to the next layer."""

    def __init__(self, array: LayerArray, number: int, reads: int, *, modulated: bool, last: bool) -> None:
        super().__init__()
        taps, self.dilation = array.kernels[number], array.dilations[number]
        self.history = (taps - 1) * self.dilation
        self.fused = "" if modulated else fused_of(array)
        self.bend = None if self.fused else bend_of(array)
        self.convolution = nn.Conv1d(array.channels, array.width, taps, dilation=self.dilation)
        self.mix = nn.Conv1d(reads, array.width, 1, bias=False)
        self.onward = None if last else nn.Conv1d(array.heard, array.channels, 1)
        if last:
            self.idle = Idle1x1(array.heard, array.channels)

    def summed(self, signal: torch.Tensor, past: torch.Tensor, reading: torch.Tensor) -> torch.Tensor:
        """Return convolution plus input, bent where the convolution does that too."""
        weight, bias = self.convolution.weight, self.convolution.bias
        return dilated(
            signal, past, weight, bias, self.dilation, add=self.mix(reading), activation=self.fused
        )

    def weights(self) -> LayerWeights:
        """Return the weights for the compiled pass."""
        onward = (None, None) if self.onward is None else (self.onward.weight, self.onward.bias)
        bias = self.convolution.bias
        assert bias is not None
        return LayerWeights(self.convolution.weight, bias, self.mix.weight, *onward)

    def heard(self, summed: torch.Tensor) -> torch.Tensor:
        """Return what the head hears."""
        return summed if self.bend is None else self.bend(summed)

    def passed_on(self, signal: torch.Tensor, heard: torch.Tensor) -> torch.Tensor:
        """Return what the next layer gets."""
        return signal if self.onward is None else signal + self.onward(heard)


class Array(nn.Module):
    """Run the layers of one width, and the convolution from what they gave to the head."""

    def __init__(
        self, array: LayerArray, inputs: int, reads: int, outputs: int, *, modulated: bool, last: bool
    ) -> None:
        super().__init__()
        count = len(array.dilations)
        self.rechannel = nn.Conv1d(inputs, array.channels, 1, bias=False)
        self.layers = nn.ModuleList(
            Layer(array, number, reads, modulated=modulated, last=last and number == count - 1)
            for number in range(count)
        )
        self.head = nn.Conv1d(array.heard, outputs, array.head_kernel, bias=array.head_bias)

    @property
    def history(self) -> int:
        """Return how many samples of the sum before the present one the head hears."""
        return self.head.kernel_size[0] - 1

    def weights(self) -> ArrayWeights:
        """Return the weights for the compiled pass."""
        layers = self.chain()
        return ArrayWeights(
            entry=self.rechannel.weight,
            layers=[layer.weights() for layer in layers],
            dilations=[layer.dilation for layer in layers],
            activation=layers[0].fused,
            head=self.head.weight,
            head_bias=self.head.bias,
        )

    def chain(self) -> list[Layer]:
        """Return the layers, first to last."""
        return cast("list[Layer]", list(self.layers))

    def to_head(self, total: torch.Tensor, past: torch.Tensor) -> torch.Tensor:
        """Convolve the sum of what the layers gave."""
        return dilated(total, past, self.head.weight, self.head.bias, 1)


class WaveNetModule(nn.Module):
    """Run the arrays.

    The state holds the past input of each convolution, in one row per item, and what the conditioning keeps.
    """

    def __init__(
        self,
        arrays: Sequence[LayerArray],
        heads: Sequence[int],
        *,
        reads: int,
        scale: float,
        conditioning: Conditioning,
        modulated: bool,
    ) -> None:
        super().__init__()
        inputs = (reads, *(array.channels for array in arrays))
        self.arrays = nn.ModuleList(
            Array(array, before, reads, outputs, modulated=modulated, last=array is arrays[-1])
            for array, before, outputs in zip(arrays, inputs, heads, strict=False)
        )
        self.scale = scale
        self.conditioning = conditioning
        # What the compiled pass over all layers can do.
        self.fused = not modulated and all(map(fused_of, arrays))
        self.homes = tuple(module._parameters for module in self.arrays.modules())
        self.packed: Memo[Packed] = Memo()

    def forward(
        self, audio: torch.Tensor, params: Mapping[str, torch.Tensor], state: State = None
    ) -> tuple[torch.Tensor, State]:
        """Map `audio` [batch, channels, samples] to the same shape."""
        before = self._silence(audio, params) if state is None else state
        reading, guide, entered = self.conditioning.enter(audio, params, before["enter"])
        found = self._at_once(reading, before["past"]) if self.fused else None
        if found is not None:
            return found[0], {"enter": entered, "past": found[1], "marks": before["marks"]}
        pasts = _Cursor(before["past"])
        kept: list[torch.Tensor] = []
        marks: list[State] = []

        def hear(layer: Layer, signal: torch.Tensor) -> torch.Tensor:
            past = pasts.take(signal.shape[1], layer.history)
            summed = layer.summed(signal, past, reading)
            number = len(marks)
            summed, mark = self.conditioning.modulate(number, summed, guide, before["marks"][number])
            marks.append(mark)
            kept.append(past_after(signal, past))
            return layer.heard(summed)

        def gather(array: Array, total: torch.Tensor) -> torch.Tensor:
            past = pasts.take(total.shape[1], array.history)
            kept.append(past_after(total, past))
            return array.to_head(total, past)

        output = self._through(reading, hear, gather)
        return self.scale * output, {"enter": entered, "past": _row(kept), "marks": tuple(marks)}

    def _at_once(self, reading: torch.Tensor, past: torch.Tensor) -> tuple[torch.Tensor, torch.Tensor] | None:
        """Return output and past of all layers in one compiled pass, where that can be."""
        if fits(reading, past):
            return stacked(reading, past, self._packed(), self.scale)
        if torch.is_grad_enabled():
            arrays = [array.weights() for array in self._chain()]
            if learns(reading, past, arrays):
                return learned(reading, past, arrays, self.scale)
        return None

    def _silence(self, audio: torch.Tensor, params: Mapping[str, torch.Tensor]) -> State:
        # Biases and conditions make the inner signals of silence constants other than zero.
        first = {name: value[..., :1] for name, value in params.items()}
        silent = audio.new_zeros(*audio.shape[:2], 1)
        reading, guide, _ = self.conditioning.enter(silent, first)
        kept: list[torch.Tensor] = []
        marks: list[State] = []

        def hear(layer: Layer, level: torch.Tensor) -> torch.Tensor:
            kept.append(level.expand(-1, -1, layer.history))
            summed = layer.summed(level, kept[-1], reading)
            summed, mark = self.conditioning.settle(len(marks), summed, guide)
            marks.append(mark)
            return layer.heard(summed)

        def gather(array: Array, total: torch.Tensor) -> torch.Tensor:
            kept.append(total.expand(-1, -1, array.history))
            return array.to_head(total, kept[-1])

        self._through(reading, hear, gather)
        return {"enter": None, "past": _row(kept), "marks": tuple(marks)}

    def _through(
        self,
        reading: torch.Tensor,
        hear: Callable[[Layer, torch.Tensor], torch.Tensor],
        gather: Callable[[Array, torch.Tensor], torch.Tensor],
    ) -> torch.Tensor:
        """Lead the signal through all layers, and what `hear` gives of each on to the heads."""
        signal, total = reading, None
        for array in self._chain():
            signal = array.rechannel(signal)
            for layer in array.chain():
                heard = hear(layer, signal)
                total = heard if total is None else total + heard
                signal = layer.passed_on(signal, heard)
            assert total is not None
            total = gather(array, total)
        assert total is not None
        return total

    def _chain(self) -> list[Array]:
        return cast("list[Array]", list(self.arrays))

    def _packed(self) -> Packed:
        weights = [weight for home in self.homes for weight in home.values() if weight is not None]
        return self.packed(
            lambda: pack([array.weights() for array in self._chain()]), *map(_version, weights)
        )


def _version(weight: torch.Tensor) -> tuple[int, int]:
    """Return what changes whenever a weight does, in place or by being replaced."""
    # Tensors made in inference mode do not count their changes.
    return weight.data_ptr(), 0 if weight.is_inference() else weight._version


class _Cursor:
    """Take one past after another from the row that holds them all."""

    def __init__(self, row: torch.Tensor) -> None:
        self.row, self.at = row, 0

    def take(self, channels: int, history: int) -> torch.Tensor:
        start, self.at = self.at, self.at + channels * history
        return self.row[:, start : self.at].view(len(self.row), channels, history)


def _row(pasts: Sequence[torch.Tensor]) -> torch.Tensor:
    return torch.cat([past.flatten(1) for past in pasts], dim=1)
