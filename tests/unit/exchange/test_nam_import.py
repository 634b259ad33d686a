"""Models of Neural Amp Modeler give, once imported, what their definition gives."""

from __future__ import annotations

import copy

import numpy as np
import pytest
import torch

from fxkit.context import BuildContext
from fxkit.errors import DataError
from fxkit.importing import assemble
from fxkit_exchange.nam_importer import NamImporter


def old_array(inputs, channels, head, **changes):
    return {
        "input_size": inputs, "condition_size": 1, "head_size": head, "channels": channels, "kernel_size": 3,
        "dilations": [1, 2, 4], "activation": "Tanh", "gated": False, "head_bias": False, **changes,
    }  # fmt: skip


def new_array(**changes):
    return {
        "input_size": 1, "condition_size": 1, "channels": 4, "kernel_sizes": [3, 2], "dilations": [1, 5],
        "head": {"out_channels": 1, "kernel_size": 3, "bias": True}, "bottleneck": 3,
        "activation": [{"type": "LeakyReLU", "negative_slope": 0.01}] * 2,
        "head1x1": {"active": False, "out_channels": 1, "groups": 1},
        "layer1x1": {"active": True, "groups": 1},
        "groups_input": 1, "groups_input_mixin": 1, "conv_pre_film": {"active": False}, "slimmable": None,
        "gating_mode": ["none", "none"], "secondary_activation": [None, None], **changes,
    }  # fmt: skip


def wavenet(*layers, scale=0.02):
    return {"layers": list(layers), "head": None, "head_scale": scale}


GATES = {
    kind: {
        "activation": [{"type": "SiLU"}] * 2,
        "gating_mode": [kind] * 2,
        "secondary_activation": [{"type": "Softsign"}] * 2,
    }
    for kind in ("gated", "blended")
}
CONFIGS = {
    "two arrays, old": wavenet(old_array(1, 4, 2), old_array(4, 2, 1, head_bias=True)),
    "gated, old": wavenet(old_array(1, 3, 1, gated=True, activation="ReLU"), scale=0.7),
    "head with taps": wavenet(new_array()),
    "gated": wavenet(new_array(**GATES["gated"])),
    "blended": wavenet(new_array(**GATES["blended"])),
}


def document(peer, architecture, config, signal):
    """Return a file's content with drawn weights, and what the network gives of `signal`."""
    weights = peer.Weights()
    if architecture == "LSTM":
        output = peer.nam_lstm(config, weights, signal)
    else:
        output = peer.nam_wavenet(config, weights, signal)
        weights.drawn.append(float(np.float32(config["head_scale"])))
    content = {"version": "0.7.0", "architecture": architecture, "config": config, "weights": weights.drawn}
    return {**content, "sample_rate": 48000, "metadata": {"name": "x", "loudness": -20.0}}, output


def rendered(path, signal, **options):
    imported = NamImporter(**options).build(BuildContext())(path)
    audio = np.asarray(signal, dtype=np.float32)
    with torch.inference_mode():
        return imported, assemble(imported, path).model(torch.from_numpy(audio)[None, None]).audio[
            0, 0
        ].numpy()


@pytest.mark.parametrize("config", CONFIGS.values(), ids=CONFIGS)
def test_wavenet_gives_what_its_definition_gives(peer, write, signal, config):
    content, expected = document(peer, "WaveNet", config, np.float32(signal).astype(np.float64))
    imported, output = rendered(write("amp.nam", content), signal)
    assert np.abs(output - expected).max() < 1e-5 * max(1, np.abs(expected).max())
    assert imported.sample_rate == 48000
    assert imported.about["metadata"]["loudness"] == -20.0


@pytest.mark.parametrize(("hidden", "layers"), [(3, 1), (4, 3)])
def test_lstm_gives_what_its_definition_gives(peer, write, signal, hidden, layers):
    config = {"input_size": 1, "hidden_size": hidden, "num_layers": layers}
    content, expected = document(peer, "LSTM", config, np.float32(signal).astype(np.float64))
    _, output = rendered(write("amp.nam", content), signal)
    assert np.abs(output - expected).max() < 1e-5


def test_container_gives_the_size_that_is_asked_for(peer, write, signal):
    models = [document(peer, "LSTM", {"hidden_size": n, "num_layers": 1}, signal)[0] for n in (2, 5)]
    submodels = [{"max_value": value, "model": one} for value, one in zip((0.5, 1.0), models, strict=True)]
    packed = {
        "version": "0.7.0", "architecture": "SlimmableContainer", "config": {"submodels": submodels},
        "weights": [], "sample_rate": 44100,
    }  # fmt: skip
    path = write("amp.nam", packed)
    for size, hidden in ((1.0, 5), (0.6, 5), (0.5, 2), (0.1, 2)):
        imported, _ = rendered(path, signal, size=size)
        assert imported.nodes["amp"]["hidden"] == hidden
        assert imported.sample_rate == 44100


def test_scale_of_the_output_is_taken_from_the_weights_where_they_differ(peer, write, signal):
    content, _ = document(peer, "WaveNet", CONFIGS["two arrays, old"], signal)
    same, _ = rendered(write("a.nam", content), signal)
    content["weights"][-1] = 0.5
    other, _ = rendered(write("b.nam", content), signal)
    assert same.nodes["amp"]["head_scale"] == 0.02
    assert other.nodes["amp"]["head_scale"] == 0.5


def test_rate_can_be_told_for_a_file_that_lacks_it(peer, write, signal):
    content, _ = document(peer, "LSTM", {"hidden_size": 2, "num_layers": 1}, signal)
    del content["sample_rate"]
    path = write("amp.nam", content)
    assert rendered(path, signal, sample_rate=44100)[0].sample_rate == 44100
    with pytest.raises(DataError, match=r"amp\.nam: sample_rate: is missing.*--set sample_rate=48000"):
        rendered(path, signal)


def changed(content, path, value):
    content = copy.deepcopy(content)
    place = content
    for name in path[:-1]:
        place = place[name]
    place[path[-1]] = value
    return content


LAYER = ("config", "layers", 0)
FAULTS = {
    "architecture": (("architecture",), "ConvNet", "ConvNet is not supported; WaveNet and LSTM are"),
    "too few weights": (("weights",), [0.0] * 7, "weights: 7 numbers where this architecture has 119"),
    "no numbers": (("weights",), ["x"] * 119, "weights: holds something that is no number"),
    "no weights": (("weights",), None, "weights: is missing"),
    "not finite": (("weights",), [float("nan")] * 119, "weights: holds numbers that are not finite"),
    "FiLM": ((*LAYER, "conv_pre_film"), {"active": True}, r"layers\[0\].conv_pre_film.active.*FiLM"),
    "1x1 of the head": ((*LAYER, "head1x1"), {"active": True}, "1x1 convolution before the head"),
    "groups": ((*LAYER, "groups_input"), 2, "groups are not supported"),
    "another network": (("config", "head"), {"channels": 3}, "config.head.*not supported"),
    "condition network": (("config", "condition_dsp"), {"a": 1}, "condition_dsp.*not supported"),
    "activation": ((*LAYER, "activation"), "PReLU", "activation PReLU is not supported; these are: Tanh"),
    "slope": (
        (*LAYER, "activation"), {"type": "LeakyReLU", "negative_slope": 0.2}, "negative_slope 0.2 is not"
    ),
    "mixed layers": (
        (*LAYER, "activation"), [{"type": "Tanh"}, {"type": "ReLU"}], "differs between the layers"
    ),
    "new key": ((*LAYER, "attention"), 3, "says attention, which is not known"),
    "head size": ((*LAYER, "head", "out_channels"), 2, "out_channels: is 2 where .* make it 1"),
    "no channels": ((*LAYER, "channels"), None, "channels: is missing"),
    "text for a number": ((*LAYER, "channels"), "four", 'channels: is "four", not a whole number'),
    "no layers": (("config", "layers"), [], "layers: is empty"),
    "version": (("version",), "1.0.0", "version: is 1.0.0; .* update fxkit"),
    "rate": (("sample_rate",), -48000, "sample_rate: is -48000"),
}  # fmt: skip


@pytest.mark.parametrize(("path", "value", "message"), FAULTS.values(), ids=FAULTS)
def test_what_cannot_be_read_is_told_in_one_line(peer, write, signal, path, value, message):
    content, _ = document(peer, "WaveNet", CONFIGS["head with taps"], signal)
    file = write("amp.nam", changed(content, path, value))
    with pytest.raises(DataError, match=message) as raised:
        rendered(file, signal)
    assert str(raised.value).startswith(f"{file}: ")
    assert "\n" not in str(raised.value)


@pytest.mark.parametrize(
    ("text", "message"),
    [('{"version": "0.5', "no complete JSON"), ("[1, 2]", "holds no table"), ("", "no complete")],
)
def test_text_that_is_no_model_is_told(write, signal, text, message):
    with pytest.raises(DataError, match=message):
        rendered(write("amp.nam", text), signal)
