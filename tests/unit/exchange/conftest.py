"""Files of other programs, written from random weights, and their networks computed by definition."""

from __future__ import annotations

import json
from types import SimpleNamespace

import numpy as np
import pytest


def sigmoid(x):
    return 1 / (1 + np.exp(-x))


NAM_BENDS = {
    "Tanh": np.tanh,
    "Sigmoid": sigmoid,
    "ReLU": lambda x: np.maximum(x, 0),
    "LeakyReLU": lambda x: np.where(x > 0, x, 0.01 * x),
    "SiLU": lambda x: x * sigmoid(x),
    "Softsign": lambda x: x / (1 + np.abs(x)),
}


class Weights:
    """Give the next values of a flat list, in the shape that is asked for; or draw and note them."""

    def __init__(self, values=None, seed=0):
        self.values = values
        self.drawn = []
        self.generator = np.random.default_rng(seed)
        self.at = 0

    def take(self, *shape):
        size = int(np.prod(shape))
        if self.values is None:
            drawn = (0.4 * self.generator.standard_normal(size)).astype(np.float32)
            self.drawn += drawn.tolist()
            return drawn.astype(np.float64).reshape(shape)
        part = self.values[self.at : self.at + size]
        self.at += size
        return np.asarray(part, dtype=np.float64).reshape(shape)


def causal(signal, weight, bias, dilation):
    """Convolve [inputs, samples] by [outputs, inputs, taps] with zeros before the start."""
    taps = weight.shape[2]
    output = np.zeros((weight.shape[0], signal.shape[1])) + bias
    for tap in range(taps):
        late = (taps - 1 - tap) * dilation
        shifted = np.concatenate((np.zeros((signal.shape[0], late)), signal), axis=1)[:, : signal.shape[1]]
        output += weight[:, :, tap] @ shifted
    return output


def nam_wavenet(config, weights, signal):
    """Run the WaveNet of a .nam file's `config` (version 0.5 or 0.7) on [samples], after a long silence."""
    lead = 200
    audio = np.concatenate((np.zeros(lead), signal))[None]
    flow, head = audio, 0.0
    for layer in config["layers"]:
        channels = layer["channels"]
        heard = layer.get("bottleneck", channels)
        dilations = layer["dilations"]
        taps = layer.get("kernel_sizes", [layer.get("kernel_size")] * len(dilations))
        bends = (
            layer["activation"]
            if isinstance(layer["activation"], list)
            else [layer["activation"]] * len(taps)
        )
        old_gate = "gated" if layer.get("gated") else "none"
        gates = layer.get("gating_mode", [old_gate] * len(taps))
        seconds = layer.get("secondary_activation", ["Sigmoid"] * len(taps))
        told = layer.get("head") or {
            "out_channels": layer["head_size"], "kernel_size": 1, "bias": layer["head_bias"]
        }  # fmt: skip
        flow = weights.take(channels, flow.shape[0], 1)[:, :, 0] @ flow
        for tap, dilation, bend, gate, second in zip(taps, dilations, bends, gates, seconds, strict=True):
            width = heard if gate == "none" else 2 * heard
            convolution, bias = weights.take(width, channels, tap), weights.take(width, 1)
            summed = causal(flow, convolution, bias, dilation) + weights.take(width, 1) @ audio
            bent = NAM_BENDS[bend if isinstance(bend, str) else bend["type"]]
            if gate != "none":
                opening = NAM_BENDS[second if isinstance(second, str) else second["type"]](summed[heard:])
                straight = summed[:heard]
                summed = bent(straight) * opening
                summed = summed if gate == "gated" else summed + (1 - opening) * straight
            else:
                summed = bent(summed)
            head = head + summed
            flow = flow + weights.take(channels, heard) @ summed + weights.take(channels, 1)
        matrix = weights.take(told["out_channels"], heard, told["kernel_size"])
        head = causal(head, matrix, weights.take(told["out_channels"], 1) if told["bias"] else 0.0, 1)
    return config["head_scale"] * head[0, lead:]


def lstm_layer(signal, matrix, bias, hidden, cell):
    """Run one LSTM layer on [inputs, samples]; rows of `matrix` are the gates i, f, g, o."""
    size = len(hidden)
    output = np.zeros((size, signal.shape[1]))
    for now in range(signal.shape[1]):
        gates = matrix @ np.concatenate((signal[:, now], hidden)) + bias
        take, keep, new, give = (gates[k * size : (k + 1) * size] for k in range(4))
        cell = sigmoid(keep) * cell + sigmoid(take) * np.tanh(new)
        hidden = sigmoid(give) * np.tanh(cell)
        output[:, now] = hidden
    return output


def gru_layer(signal, w_ih, w_hh, b_ih, b_hh):
    """Run one GRU layer on [inputs, samples]; rows are the gates r, z, n."""
    size = w_hh.shape[1]
    hidden, output = np.zeros(size), np.zeros((size, signal.shape[1]))
    for now in range(signal.shape[1]):
        left, right = w_ih @ signal[:, now] + b_ih, w_hh @ hidden + b_hh
        reset = sigmoid(left[:size] + right[:size])
        update = sigmoid(left[size : 2 * size] + right[size : 2 * size])
        new = np.tanh(left[2 * size :] + reset * right[2 * size :])
        hidden = (1 - update) * new + update * hidden
        output[:, now] = hidden
    return output


def nam_lstm(config, weights, signal):
    """Run the LSTM of a .nam file's `config` on [samples], from the state that the file holds."""
    size, flow = config["hidden_size"], signal[None]
    for _ in range(config["num_layers"]):
        matrix, bias = weights.take(4 * size, flow.shape[0] + size), weights.take(4 * size)
        flow = lstm_layer(flow, matrix, bias, weights.take(size), weights.take(size))
    return (weights.take(1, size) @ flow + weights.take(1))[0]


@pytest.fixture
def peer():
    """The networks of other programs, by definition."""
    return SimpleNamespace(
        Weights=Weights,
        nam_wavenet=nam_wavenet,
        nam_lstm=nam_lstm,
        lstm_layer=lstm_layer,
        gru_layer=gru_layer,
    )


@pytest.fixture
def signal():
    """Noise of 150 samples."""
    return 0.4 * np.random.default_rng(9).standard_normal(150)


@pytest.fixture
def write(tmp_path):
    """Write a model's file."""

    def written(name, content):
        path = tmp_path / name
        path.write_text(content if isinstance(content, str) else json.dumps(content), encoding="utf-8")
        return path

    return written
