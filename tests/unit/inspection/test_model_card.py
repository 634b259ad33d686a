"""What `fxkit inspect` says of a model is what the model is."""

from __future__ import annotations

import io
import json
from itertools import pairwise

import pytest
from rich.console import Console

import fxkit
from fxkit.errors import RunError
from fxkit.inspection.card import outline
from fxkit.inspection.layout import Layout, Size
from fxkit.inspection.picture import card_figure, draw_card, picture_target
from fxkit.inspection.subject import describe_subject, open_subject
from fxkit.inspection.text import card_tree, headline, numbers
from fxkit.model.chain import parse_chain


@pytest.fixture(scope="module")
def graybox():
    return describe_subject(open_subject("overdrive-graybox"))


@pytest.fixture(scope="module")
def network():
    model = fxkit.Model.chain(
        fxkit.node("gain", name="in"),
        fxkit.node("tcn", channels=4, blocks=2, kernel=3, growth=2, name="net"),
        fxkit.node("lstm", hidden=8, name="memory", freeze=True),
    )
    return model.card(sample_rate=44100, channels=1)


def test_the_card_names_every_node_with_its_plugin_and_controller(graybox):
    assert {name: node.plugin for name, node in graybox.nodes.items()}["clip"] == (
        "fxkit/static-mlp-nonlinearity"
    )
    assert all(node.controller for node in graybox.nodes.values() if node.parameters)
    assert graybox.weights == sum(
        one.weights for one in (*graybox.nodes.values(), *graybox.controllers.values())
    )


def test_parameters_stand_at_what_their_controller_emits(graybox):
    gain = next(node for node in graybox.nodes.values() if node.plugin == "fxkit/gain").parameters[0]
    assert gain.unit == "dB"
    assert gain.values == pytest.approx((0.0,), abs=1e-4)


def test_each_parameter_names_what_sets_it():
    free = fxkit.node("compressor", name="comp", parameters={"makeup_db": {"controller": "level"}})
    fixed = fxkit.node("gain", name="fixed", parameters={"gain_db": {"fixed": -3}})
    tied = fxkit.node("gain", name="tied", parameters={"gain_db": {"tie": "comp.makeup_db"}})
    model = fxkit.Model.chain(free, fixed, tied).control("level", "conv-control")
    card = model.card(sample_rate=48000, channels=1)
    setters = {
        f"{node.name}.{one.name}": one.setter for node in card.nodes.values() for one in node.parameters
    }
    assert setters["comp.ratio"] == "comp.controller"
    assert (setters["comp.makeup_db"], setters["tied.gain_db"]) == ("level", "comp.makeup_db")
    assert setters["fixed.gain_db"] == "a fixed value"
    text = _text(card)
    assert "-3 dB  (-24 to 24 dB), set by a fixed value" in text
    assert "moves  (-24 to 24 dB), set by level" in text


def test_convolutions_are_counted(network):
    # A block: kernel 3 over 1 or 4 channels in and 4 out, and a product for the skipped path; the head.
    assert network.nodes["net"].macs == pytest.approx(3 * 4 + 4 + 3 * 16 + 16 + 4, rel=0.3)


def test_what_cannot_be_counted_is_not_called_free(network):
    assert network.nodes["in"].macs is None or network.nodes["in"].macs > 0


def test_a_recurrent_net_declares_its_products(network):
    assert network.nodes["memory"].macs == pytest.approx(4 * 8 * (8 + 1) + 8, rel=0.05)


def test_a_frozen_node_is_said_to_be(network):
    assert not network.nodes["memory"].trained
    assert "(frozen)" in _text(network)


def test_the_text_holds_every_name_and_the_totals(graybox):
    text = _text(graybox)
    for name, node in graybox.nodes.items():
        assert name in text
        for parameter in node.parameters:
            assert parameter.name in text
    assert headline(graybox) in text


def test_the_document_is_plain_json(graybox):
    content = json.loads(json.dumps(graybox.document(), allow_nan=False))
    assert content["chain"] == [outline(member) for member in graybox.tree.members]
    assert content["weights"] == graybox.weights


def test_a_model_that_moves_its_parameters_says_so():
    card = describe_subject(open_subject("harmonic-synth"))
    assert card.channels == 0
    assert all(parameter.values is None for parameter in card.nodes["harmonic"].parameters)
    assert "moves" in _text(card)


def test_long_lists_leave_out_their_middle():
    assert numbers(range(30)).startswith("0, 1, 2")
    assert "..." in numbers(range(30))
    assert numbers([0.5]) == "0.5"


@pytest.mark.parametrize(
    "chain", [["a"], ["a", "b"], [["a", "b"], "c"], [["a", ["b", "c", ["d", "e"]]], "f"]], ids=str
)
def test_no_two_boxes_touch_and_every_line_is_straight(chain):
    tree = parse_chain(chain)
    layout = Layout({name: Size(1.0 + 0.1 * len(name), 0.8) for name in tree.names()})
    layout.place(tree)
    boxes = layout.boxes
    assert sorted(box.name for box in boxes) == sorted(tree.names())
    for number, one in enumerate(boxes):
        for other in boxes[number + 1 :]:
            apart = abs(one.middle - other.middle) >= 0.8
            assert apart or one.left + one.size.width < other.left or other.left + other.size.width < one.left
    for line in layout.lines:
        for (x0, y0), (x1, y1) in pairwise(line):
            assert x0 == x1 or y0 == y1


def test_the_picture_is_written_in_each_format(graybox, tmp_path):
    for ending, start in (("svg", b"<?xml"), ("png", b"\x89PNG"), ("pdf", b"%PDF")):
        target = picture_target(tmp_path / f"graph.{ending}", force=False)
        draw_card(graybox, target)
        assert target.read_bytes().startswith(start)


def test_the_picture_holds_the_names(graybox):
    drawn = {text.get_text() for text in card_figure(graybox).axes[0].texts}
    assert set(graybox.nodes) <= drawn


def test_a_picture_never_replaces_a_file_unasked(tmp_path):
    there = tmp_path / "graph.svg"
    there.write_text("mine")
    with pytest.raises(RunError, match="exists"):
        picture_target(there, force=False)
    assert picture_target(there, force=True) == there
    with pytest.raises(RunError, match=r"ends in \.svg"):
        picture_target(tmp_path / "graph.gif", force=False)
    with pytest.raises(RunError, match="no folder"):
        picture_target(tmp_path / "none" / "graph.svg", force=False)


def _text(card):
    console = Console(width=200, record=True, file=io.StringIO())
    console.print(card_tree(card))
    return console.export_text()


def test_fixed_parameters_stand_at_their_values():
    table = {"gain_db": {"fixed": -6.0}}
    card = fxkit.Model.chain(fxkit.node("gain", parameters=table)).card()
    assert card.nodes["gain"].parameters[0].values == (-6.0,)


def test_a_controller_that_listens_tells_how_late_it_follows():
    card = fxkit.Model.chain(fxkit.node("gain", controller="lstm-control")).card(hop=48)
    assert card.controllers["gain.controller"].delay == 96
    assert "follows within 96 samples" in _text(card)
