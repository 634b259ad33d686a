"""The audio behind each node: kept where it is asked for, lined up with what leaves the model."""

from __future__ import annotations

from types import SimpleNamespace

import pytest
import torch

from fxkit import RunError, hookimpl
from fxkit.callbacks import Callbacks
from fxkit.engine.evaluation import evaluate
from fxkit.engine.setup import prepare
from fxkit.engine.streaming import process
from fxkit.model.assembly import build_model, model_context
from fxkit.model.manner import Manner

KEPT = Manner(nodes=True)


@pytest.fixture
def late_chain(kit):
    """Double, then a branch late by 5 beside one late by 2 and halved, then 7 late samples more."""
    nodes = {
        "double": kit.node("double", kit.Scale(), kit.Learned(start=0.75)),
        "five": kit.node("five", kit.Late(samples=5)),
        "two": kit.node("two", kit.Late(samples=2)),
        "half": kit.node("half", kit.Scale(), kit.Learned(start=0.5625)),
        "seven": kit.node("seven", kit.Late(samples=7)),
    }
    return kit.make_experiment(nodes, ("double", ("five", ("two", "half")), "seven"))


@pytest.fixture
def model(late_chain):
    return build_model(late_chain, model_context(late_chain, channels=1, target_channels=1, knobs=()))


def noise(samples):
    return torch.randn(2, 1, samples, generator=torch.Generator().manual_seed(0))


@pytest.mark.parametrize("block", [65536, 64, 7, 1])
def test_every_node_and_stem_is_lined_up_with_the_input(model, block):
    x = noise(100)
    output = process(model, x, block=block, manner=KEPT)
    expected = {"double": 2 * x, "five": 2 * x, "two": 2 * x, "half": x, "seven": 3 * x}
    assert list(output.nodes) == list(expected)
    for name, audio in expected.items():
        assert torch.allclose(output.nodes[name], audio, atol=1e-6), name
    assert torch.allclose(output.stems["five"], 2 * x, atol=1e-6)
    assert torch.allclose(output.stems["two+half"], x, atol=1e-6)
    assert torch.allclose(output.audio, 3 * x, atol=1e-6)


def test_nothing_is_kept_unless_asked_for(model):
    assert process(model, noise(100)).nodes == {}
    assert model(noise(100)).nodes == {}


def test_keeping_changes_nothing_that_is_computed(model):
    assert torch.equal(process(model, noise(100), manner=KEPT).audio, process(model, noise(100)).audio)


def test_an_evaluation_keeps_the_recordings_that_are_named(late_chain):
    prepared = prepare(late_chain, device="cpu")
    for wanted, nodes in (("val.wav", 5), ("other.wav", 0)):
        evaluation = evaluate(
            prepared.model,
            prepared.terms,
            prepared.materials["val"],
            split="val",
            step=0,
            sample_rate=48000,
            keeps_nodes=lambda name, wanted=wanted: name == wanted,
        )
        (example,) = evaluation.examples
        assert len(example.nodes) == nodes
    assert example.prediction.shape == example.target.shape


class Needy:
    """Need the nodes of all recordings."""

    needs = ("nodes",)

    @hookimpl
    def fx_close(self, run):
        """Do nothing."""


class Choosy(Needy):
    """Need those of one recording, or fail."""

    def __init__(self, name):
        self.name = name

    def nodes_of(self, run, split):
        if self.name is None:
            raise ValueError("no name")
        return (f"{split}-{self.name}",)


def wanted(*built):
    said: list[str] = []
    callbacks = Callbacks(said.append)
    callbacks.add_all({str(number): one for number, one in enumerate(built)})
    return callbacks.wanted_nodes(SimpleNamespace(), "val"), said


def test_callbacks_say_which_recordings_they_need():
    none, _ = wanted((object(), "raise"))
    assert not none("val-a")
    some, _ = wanted((Choosy("a"), "raise"), (Choosy("b"), "raise"))
    assert some("val-a")
    assert some("val-b")
    assert not some("val-c")
    every, _ = wanted((Choosy("a"), "raise"), (Needy(), "raise"))
    assert every("val-c")


def test_a_callback_that_fails_to_say_answers_by_its_on_error():
    with pytest.raises(RunError, match="no name"):
        wanted((Choosy(None), "raise"))
    keeps, said = wanted((Choosy(None), "disable"), (Choosy("a"), "raise"))
    assert keeps("val-a")
    assert said == ["callbacks.0: nodes_of: ValueError: no name; it is disabled for the rest of the run"]
