"""The module behind `ddsp-decoder`."""

from __future__ import annotations

import math
from collections.abc import Sequence

import torch
from torch import nn

from fxkit.logits import start_logits
from fxkit.parameter import Parameter
from fxkit.values import ControlInputs, State

_MIDI_TOP = 127.0
_LOUDNESS_RANGE_DB = 80.0
# The pitch of MIDI note 0; unvoiced frames carry 0 Hz, which has no logarithm.
_LOWEST_HZ = 440.0 * 2.0 ** (-69 / 12)


class DDSPDecoderModule(nn.Module):
    """Decode frames of features to frames of normalised parameters; the state is that of the GRU."""

    def __init__(self, parameters: Sequence[Parameter], hidden: int, layers: int) -> None:
        super().__init__()
        self.parameters_in_order = tuple(parameters)
        decoded = [parameter for parameter in parameters if not follows_pitch(parameter)]
        self.pitch = dense_stack(2, hidden, layers)
        self.loudness = dense_stack(1, hidden, layers)
        self.recurrent = nn.GRU(2 * hidden, hidden, batch_first=True)
        self.out = dense_stack(3 * hidden, hidden, layers)
        self.head = nn.Linear(hidden, sum(parameter.size for parameter in decoded))
        nn.init.zeros_(self.head.weight)
        with torch.no_grad():
            self.head.bias.copy_(torch.tensor(start_logits(decoded)))

    def forward(self, inputs: ControlInputs, state: State = None) -> tuple[torch.Tensor, State]:
        """Return [batch, values, frames due]."""
        hertz, confidence = inputs.features["f0"].unbind(dim=1)
        loudness = inputs.features["loudness"]
        decoded, state = self._decode(hertz, confidence, loudness, state)
        return self._in_order(decoded, hertz), state

    def _decode(
        self, hertz: torch.Tensor, confidence: torch.Tensor, loudness: torch.Tensor, state: State
    ) -> tuple[torch.Tensor, State]:
        if hertz.shape[-1] == 0:
            return hertz.new_zeros(hertz.shape[0], self.head.out_features, 0), state
        pitch = self.pitch(torch.stack((midi_share(hertz), confidence), dim=-1))
        level = self.loudness(loudness.transpose(1, 2) / _LOUDNESS_RANGE_DB + 1)
        both = torch.cat((pitch, level), dim=-1)
        memory, state = self.recurrent(both, state)
        values = self.head(self.out(torch.cat((both, memory), dim=-1)))
        return torch.sigmoid(values).transpose(1, 2), state

    def _in_order(self, decoded: torch.Tensor, hertz: torch.Tensor) -> torch.Tensor:
        pieces, first = [], 0
        for parameter in self.parameters_in_order:
            if follows_pitch(parameter):
                pieces.append(normalise(parameter, hertz)[:, None].expand(-1, parameter.size, -1))
                continue
            pieces.append(decoded[:, first : first + parameter.size])
            first += parameter.size
        return torch.cat(pieces, dim=1)


def dense_stack(inputs: int, hidden: int, layers: int) -> nn.Sequential:
    """Return `layers` times dense layer, layer normalisation and leaky ReLU."""
    widths = (inputs, *[hidden] * (layers - 1))
    steps = ((nn.Linear(width, hidden), nn.LayerNorm(hidden), nn.LeakyReLU()) for width in widths)
    return nn.Sequential(*(module for step in steps for module in step))


def follows_pitch(parameter: Parameter) -> bool:
    """Tell whether a parameter, perhaps qualified by its node, is called "f0"."""
    return parameter.name.rpartition(".")[2] == "f0"


def midi_share(hertz: torch.Tensor) -> torch.Tensor:
    """Return the MIDI note of each frequency as a share of the 127 notes."""
    return (69 + 12 * torch.log2(hertz.clamp(min=_LOWEST_HZ) / 440.0)) / _MIDI_TOP


def normalise(parameter: Parameter, hertz: torch.Tensor) -> torch.Tensor:
    """Return the normalised values that the parameter's mapping takes to `hertz`, held to its range."""
    inside = hertz.clamp(parameter.low, parameter.high)
    if parameter.mapping == "log":
        return torch.log(inside / parameter.low) / math.log(parameter.high / parameter.low)
    share = (inside - parameter.low) / (parameter.high - parameter.low)
    return share ** (1 / math.log(10.0)) if parameter.mapping == "exp-sigmoid" else share
