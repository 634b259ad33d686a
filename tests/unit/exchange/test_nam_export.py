"""What is written as a `.nam` file is read back bit by bit, and by the definition of the format."""

from __future__ import annotations

import json
from pathlib import Path

import numpy as np
import pytest
import torch

from fxkit.context import BuildContext
from fxkit.errors import RunError
from fxkit.importing import assemble
from fxkit.values import Imported
from fxkit_exchange import _nam_exporter
from fxkit_exchange._nam_level import loudness_and_gain, pink_noise
from fxkit_exchange.nam_exporter import NamExporter
from fxkit_exchange.nam_importer import NamImporter

ARRAY = {"channels": 3, "dilations": [1, 2], "head_bias": True}
MODELS = {
    "old wavenet": {"type": "wavenet", "arrays": [{**ARRAY, "channels": 2, "head_bias": False}, ARRAY]},
    "old gated": {"type": "wavenet", "arrays": [{**ARRAY, "gating": "gated"}], "head_scale": 0.3},
    "head with taps": {"type": "wavenet", "arrays": [{**ARRAY, "kernel": [2, 4], "head_kernel": 3}]},
    "blended": {
        "type": "wavenet",
        "arrays": [{**ARRAY, "activation": "silu", "gating": "blended", "gate": "softsign"}],
    },
    "bottleneck": {"type": "wavenet", "arrays": [{**ARRAY, "bottleneck": 2, "activation": "leaky-relu"}]},
    "lstm": {"type": "lstm", "hidden": 3, "layers": 2, "skip": False, "initial": "learned"},
    "lstm from zero": {"type": "lstm", "hidden": 3, "skip": False},
}  # fmt: skip


def built(*tables, rate=48000):
    nodes = {f"n{number}": table for number, table in enumerate(tables)}
    torch.manual_seed(1)
    imported = Imported(sample_rate=rate, nodes=nodes, chain=tuple(nodes), weights={})
    model = assemble(imported, Path("model")).model
    for weight in model.parameters():
        weight.add_(0.2 * torch.randn_like(weight))
    return model


def exported(model, folder, **options):
    (path,) = NamExporter(**options).build(BuildContext())(model, str(folder))
    return path, json.loads(Path(path).read_text(encoding="utf-8"))


def stored(path):
    return NamImporter().build(BuildContext())(Path(path))


@pytest.mark.parametrize("table", MODELS.values(), ids=MODELS)
def test_weights_come_back_bit_by_bit(tmp_path, table):
    model = built(table)
    path, _ = exported(model, tmp_path)
    weights = stored(path).weights["amp"]
    for name, value in model.node("n0").state_dict().items():
        if "bias_ih" in name or "bias_hh" in name:
            pair = [name.replace("_hh", "_ih"), name.replace("_ih", "_hh")]
            there = model.node("n0").state_dict()
            assert torch.equal(weights[pair[0]] + weights[pair[1]], there[pair[0]] + there[pair[1]])
        else:
            assert torch.equal(weights[name], value), name


@pytest.mark.parametrize("table", MODELS.values(), ids=MODELS)
def test_file_gives_by_definition_what_the_model_gives(tmp_path, peer, signal, table):
    model = built(table)
    _, content = exported(model, tmp_path)
    run = {"WaveNet": peer.nam_wavenet, "LSTM": peer.nam_lstm}[content["architecture"]]
    heard = np.float32(signal)
    with torch.inference_mode():
        output = model(torch.from_numpy(heard)[None, None]).audio[0, 0].numpy()
    expected = run(content["config"], peer.Weights(content["weights"]), heard.astype(np.float64))
    assert np.abs(output - expected).max() < 1e-5 * max(1, np.abs(expected).max())


def test_what_every_player_can_read_is_written_in_the_old_version(tmp_path):
    versions = {name: exported(built(table), tmp_path)[1]["version"] for name, table in MODELS.items()}
    assert {name for name, version in versions.items() if version == "0.5.4"} == {
        "old wavenet", "old gated", "lstm", "lstm from zero"
    }  # fmt: skip


def test_metadata_tells_names_level_and_parity(tmp_path):
    told = {"name": "My amp", "modeled_by": "me", "gear_type": "amp", "gear_make": "A", "tone_type": "clean"}
    path, content = exported(built(MODELS["lstm"], rate=44100), tmp_path, **told)
    metadata = content["metadata"]
    assert path.endswith("My amp.nam")
    assert told.items() <= metadata.items()
    assert metadata["gear_model"] is None
    assert content["sample_rate"] == 44100
    assert metadata["parity"]["samples"] == 44100
    assert 0 <= metadata["parity"]["largest_error"] < 1e-6
    assert set(metadata["date"]) == {"year", "month", "day", "hour", "minute", "second"}


def rectifier(bias):
    """Return a model that gives relu(audio + bias)."""
    array = {"channels": 1, "dilations": [1], "kernel": 1, "activation": "relu"}
    wire = built({"type": "wavenet", "arrays": [array], "head_scale": 1.0})
    module = wire.node("n0")
    for value in module.state_dict().values():
        value.zero_()
    layer = module.arrays[0].layers[0]
    layer.mix.weight.fill_(1.0)
    layer.convolution.bias.fill_(bias)
    module.arrays[0].head.weight.fill_(1.0)
    return wire


def test_levels_are_those_of_the_output_for_pink_noise():
    noise = pink_noise(48000)
    half = float(noise.clamp(min=0).square().mean())
    clean, constant = loudness_and_gain(rectifier(0.0)), loudness_and_gain(rectifier(10.0))
    assert clean["loudness"] == pytest.approx(10 * np.log10(half), abs=1e-3)
    assert clean["gain"] == pytest.approx(0.0, abs=1e-5)
    # The bias is so large that nothing is cut off, and is the level.
    assert constant["loudness"] == pytest.approx(20.0, abs=0.01)
    assert constant["gain"] == pytest.approx(1.0, abs=0.01)


def test_noise_is_pink():
    noise = pink_noise(48000)
    power = torch.fft.rfft(noise).abs().square()
    octaves = torch.stack([power[start : 2 * start].sum() for start in (50, 200, 800, 3200, 12000)])
    assert 10 * np.log10(float(noise.square().mean())) == pytest.approx(-15, abs=1e-3)
    assert float(power[0]) < 1e-6 * float(power.sum())
    assert float(octaves.max() / octaves.min()) < 1.5


REFUSED = {
    "two nodes": (
        (MODELS["lstm"], MODELS["lstm"]),
        "holds one wavenet or one lstm.*this model is lstm, lstm",
    ),
    "another node": (({"type": "tanh", "controller": {"type": "static"}},), "this model is tanh"),
    "skip": (({"type": "lstm", "hidden": 3},), "nodes.n0: has skip = true"),
    "bent": (({**MODELS["lstm"], "output": "tanh"},), 'has output = "tanh"'),
    "conditioned": (
        ({**MODELS["lstm"], "conditioning": {"type": "concat"}, "controller": {"type": "static"}},),
        "nodes.n0: has a conditioning",
    ),
}


@pytest.mark.parametrize(("tables", "message"), REFUSED.values(), ids=REFUSED)
def test_models_that_no_file_can_hold_are_refused(tmp_path, tables, message):
    with pytest.raises(RunError, match=message):
        exported(built(*tables), tmp_path)
    assert not list(tmp_path.iterdir())


def test_file_that_gives_something_else_is_not_kept(tmp_path, monkeypatch):
    joined = _nam_exporter.join_weights
    monkeypatch.setattr(
        _nam_exporter, "join_weights", lambda *given: [1.1 * value for value in joined(*given)]
    )
    with pytest.raises(RunError, match="gives other samples than the model"):
        exported(built(MODELS["old wavenet"]), tmp_path)
    assert not list(tmp_path.iterdir())


@pytest.mark.parametrize("name", ["", " ", "../x", ".x", "a\\b"])
def test_name_that_is_none_of_a_file_is_refused(name):
    assert [option for option, _ in NamExporter(name=name).problems()] == ["name"]
