"""Recurrent networks of Automated-GuitarAmpModelling give, once imported, what their definition gives."""

from __future__ import annotations

import numpy as np
import pytest
import torch

from fxkit.context import BuildContext
from fxkit.errors import DataError
from fxkit.importing import assemble
from fxkit_exchange.guitarml import GuitarML


def content(unit, *, inputs=1, hidden=4, layers=1, skip=1):
    draw = np.random.default_rng(4)
    gates = {"LSTM": 4, "GRU": 3}[unit]
    shapes = {"lin.weight": (1, hidden), "lin.bias": (1,)}
    for layer in range(layers):
        shapes[f"rec.weight_ih_l{layer}"] = (gates * hidden, inputs if layer == 0 else hidden)
        shapes[f"rec.weight_hh_l{layer}"] = (gates * hidden, hidden)
        shapes |= {f"rec.bias_{kind}_l{layer}": (gates * hidden,) for kind in ("ih", "hh")}
    told = {
        "model": "SimpleRNN", "input_size": inputs, "skip": skip, "output_size": 1, "unit_type": unit,
        "num_layers": layers, "hidden_size": hidden, "bias_fl": True,
    }  # fmt: skip
    weights = {name: (0.4 * draw.standard_normal(shape)).tolist() for name, shape in shapes.items()}
    return {"model_data": told, "state_dict": weights}


def expected(peer, model, signal):
    """Run the network on [inputs, samples] in float64."""
    told = model["model_data"]
    weights = {name: np.asarray(value) for name, value in model["state_dict"].items()}
    flow = signal
    for layer in range(told["num_layers"]):
        parts = [weights[f"rec.{name}_l{layer}"] for name in ("weight_ih", "weight_hh", "bias_ih", "bias_hh")]
        if told["unit_type"] == "GRU":
            flow = peer.gru_layer(flow, *parts)
        else:
            size = told["hidden_size"]
            matrix, bias = np.concatenate(parts[:2], axis=1), parts[2] + parts[3]
            flow = peer.lstm_layer(flow, matrix, bias, np.zeros(size), np.zeros(size))
    output = (weights["lin.weight"] @ flow)[0] + weights["lin.bias"]
    return output + signal[0] if told["skip"] else output


def rendered(path, signal, knobs=None, **options):
    imported = GuitarML(**options).build(BuildContext())(path)
    audio = torch.from_numpy(np.asarray(signal, dtype=np.float32))[None, None]
    given = None if knobs is None else torch.tensor([knobs], dtype=torch.float32)
    with torch.inference_mode():
        return imported, assemble(imported, path).model(audio, knobs=given).audio[0, 0].numpy()


@pytest.mark.parametrize("unit", ["LSTM", "GRU"])
@pytest.mark.parametrize("shape", [{"layers": 1}, {"layers": 2, "skip": 0}, {"hidden": 20}], ids=str)
def test_network_gives_what_its_definition_gives(peer, write, signal, unit, shape):
    model = content(unit, **shape)
    imported, output = rendered(write("amp.json", model), signal)
    assert np.abs(output - expected(peer, model, signal[None])).max() < 1e-5
    assert imported.sample_rate == 44100


@pytest.mark.parametrize("unit", ["LSTM", "GRU"])
def test_further_inputs_become_knobs(peer, write, signal, unit):
    model = content(unit, inputs=3)
    imported, output = rendered(write("amp.json", model), signal, knobs=[0.2, 0.9], sample_rate=48000)
    rows = np.stack((signal, np.full_like(signal, 0.2), np.full_like(signal, 0.9)))
    assert np.abs(output - expected(peer, model, rows)).max() < 1e-5
    assert imported.knobs == {"knob-1": (0.0, 1.0), "knob-2": (0.0, 1.0)}
    assert imported.sample_rate == 48000


FAULTS = {
    "unit": ({"unit_type": "ELMAN"}, {}, "unit_type: ELMAN is not supported; LSTM and GRU are"),
    "model": ({"model": "RecNet"}, {}, "a network of this kind is not supported"),
    "outputs": ({"output_size": 2}, {}, "more than one output is not supported"),
    "skip": ({"skip": 2}, {}, "skipping more than one input is not supported"),
    "biases": ({"bias_fl": False}, {}, "without biases is not supported"),
    "hidden": ({"hidden_size": 5}, {}, r"state_dict.lin.weight: is of shape \(1, 4\), .* needs \(1, 5\)"),
    "missing": ({}, {"lin.bias": None}, "state_dict.lin.bias: is missing"),
    "rows": ({}, {"lin.weight": [[1.0], [1.0, 2.0]]}, "rows of unequal length"),
    "unknown": ({}, {"conv.weight": [1.0]}, "conv.weight: belongs to no network of this kind"),
}


@pytest.mark.parametrize(("told", "weights", "message"), FAULTS.values(), ids=FAULTS)
def test_what_cannot_be_read_is_told_in_one_line(write, signal, told, weights, message):
    model = content("LSTM")
    model["model_data"] |= told
    model["state_dict"] |= weights
    path = write("amp.json", model)
    with pytest.raises(DataError, match=message) as raised:
        rendered(path, signal)
    assert str(raised.value).startswith(f"{path}: ")
    assert "\n" not in str(raised.value)
