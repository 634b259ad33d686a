"""A model composed in Python is the model of the file that it writes."""

from __future__ import annotations

import pytest
import tomli
import torch

import fxkit
from fxkit.experiment.reader import read_experiment

REST = {
    "run": {"name": "built", "seed": 3},
    "data": {"type": "virtual-device"},
    "losses": {"error": {"type": "esr"}},
    "train": {"steps": 2, "optimizer": {"type": "adam", "lr": 0.01}},
}


def graybox():
    return fxkit.Model.chain(
        [fxkit.node("gain", name="clean"), [fxkit.node("parametric-eq", peaks=1), "static-mlp-nonlinearity"]],
        fxkit.node("gain", low=-6.0),
        "gain",
    )


def test_members_become_named_nodes_and_nested_lists():
    document = graybox().document()
    assert document["model"]["chain"] == [
        ["clean", ["parametric-eq", "static-mlp-nonlinearity"]], "gain", "gain-2",
    ]  # fmt: skip
    assert document["nodes"]["gain"] == {"type": "gain", "low": -6.0, "controller": {"type": "static"}}


def test_only_nodes_with_parameters_get_a_controller():
    nodes = graybox().document()["nodes"]
    assert "controller" not in nodes["static-mlp-nonlinearity"]
    assert nodes["parametric-eq"]["controller"] == {"type": "static"}


def test_the_written_file_is_read_as_the_same_experiment(tmp_path):
    path = graybox().write(tmp_path / "built.toml", **REST)
    experiment = read_experiment(path)
    assert list(experiment.nodes) == list(graybox().nodes)
    again = fxkit.Model.read(path)
    second = again.write(tmp_path / "again.toml", **REST)
    assert fxkit.Model.read(second) == again
    assert read_experiment(second).nodes == experiment.nodes


def test_the_built_model_runs_and_is_the_same_for_the_same_seed():
    audio = torch.randn(2, 1, 300)
    one, two = graybox().build(seed=5), graybox().build(seed=5)
    assert torch.equal(one(audio).audio, two(audio).audio)
    assert one(audio).audio.shape == audio.shape


def test_building_leaves_the_global_generator_alone():
    torch.manual_seed(1)
    expected = torch.rand(1)
    torch.manual_seed(1)
    graybox().build()
    assert torch.equal(torch.rand(1), expected)


def test_everything_wrong_is_told_with_its_path():
    model = fxkit.Model.chain(fxkit.node("parametric-eq", peeks=2), fxkit.node("gian"))
    with pytest.raises(fxkit.ExperimentError) as caught:
        model.build()
    text = str(caught.value)
    assert (
        'nodes.parametric-eq.peeks: unknown option of processor "parametric-eq"; did you mean "peaks"?'
        in text
    )
    assert "nodes.gian" in text


def test_nothing_is_written_when_something_is_wrong(tmp_path):
    with pytest.raises(fxkit.ExperimentError):
        graybox().write(tmp_path / "built.toml", **{**REST, "losses": {"error": {"type": "esrr"}}})
    assert not list(tmp_path.iterdir())


def test_a_file_is_replaced_only_when_asked(tmp_path):
    path = graybox().write(tmp_path / "built.toml", **REST)
    before = path.read_bytes()
    with pytest.raises(fxkit.RunError, match="exists"):
        fxkit.Model.chain("gain").write(path, **REST)
    assert path.read_bytes() == before
    fxkit.Model.chain("gain").write(path, force=True, **REST)
    assert list(tomli.loads(path.read_text())["nodes"]) == ["gain"]


def test_changes_make_new_models():
    short = fxkit.Model.chain("gain")
    longer = short.then(fxkit.node("gain", name="second"))
    assert list(short.nodes) == ["gain"]
    assert longer.document()["model"]["chain"] == ["gain", "second"]


def test_one_controller_drives_several_nodes():
    model = (
        fxkit.Model.chain(["harmonic", "filtered-noise"])
        .feature("f0", "f0")
        .feature("loudness", "loudness")
        .control("decoder", {"type": "ddsp-decoder", "hidden": 16}, "harmonic", "filtered-noise")
    )
    card = model.card(sample_rate=16000)
    assert card.controllers["decoder"].drives == ("harmonic", "filtered-noise")
    assert "controllers" in model.document()
    with pytest.raises(ValueError, match="no node 'reverb'"):
        model.control("decoder", "static", "reverb")


def test_a_controller_can_be_a_name_or_a_table():
    table = {"type": "lstm-control", "hidden": 4}
    nodes = fxkit.Model.chain(
        fxkit.node("gain", controller=table), fxkit.node("gain", controller="lstm-control")
    ).nodes
    assert nodes["gain"]["controller"] == table
    assert nodes["gain-2"]["controller"] == {"type": "lstm-control"}


def test_a_model_shows_itself_as_text_and_as_a_picture():
    model = graybox()
    assert "parametric-eq" in str(model)
    assert model._repr_svg_().startswith("<?xml")
