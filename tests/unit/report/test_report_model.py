"""The model in a report: its picture, its response, and what is measured for it."""

from __future__ import annotations

import json
import re

import attrs
import numpy as np
import pytest
import tomli_w
import torch

import fxkit
from fxkit.engine.evaluation import Evaluation
from fxkit.errors import RunError
from fxkit.inspection.response import frequency_response
from fxkit.inspection.static_curve import static_curve
from fxkit.report import material
from fxkit.report.contents import Contents
from fxkit.report.drawing import model_svg
from fxkit.report.material import gather
from fxkit.report.report import write_report
from fxkit.report.responses import curve_charts, response_charts
from fxkit.runs.folder import RunFolder
from fxkit.runs.journal import Journal
from fxkit.scores import Interval, Scores


@pytest.fixture(scope="module")
def chain():
    """An equaliser into a clipper."""
    return fxkit.Model.chain(fxkit.node("low-pass"), fxkit.node("tanh")).build()


@pytest.fixture(scope="module")
def measured(chain):
    return {"response": frequency_response(chain, seconds=0.5), "curve": static_curve(chain)}


def test_picture_follows_the_colours_of_the_page(card, parameter):
    svg = str(model_svg(card(parameter())))
    assert "var(--ink)" in svg
    assert "var(--c0)" in svg
    assert not re.search(r"(fill|stroke): #[0-9a-f]{6}", svg)
    assert "http" not in svg.replace("http://www.w3.org/", "")
    assert re.search(r"<text[^>]*>tone</text>", svg)


def test_picture_is_the_same_each_time_and_takes_any_name(card, parameter):
    hostile = card(parameter(), name='$x_{1$ <script>alert("1")</script>')
    assert model_svg(hostile) == model_svg(hostile)
    assert "<script" not in model_svg(hostile)
    assert "$x_{1$" in model_svg(hostile)


def test_response_charts_show_what_was_measured(run, measured):
    one = attrs.evolve(run(), **measured)
    charts = {chart.title: chart for chart in response_charts(Contents(runs=(one,)), ("pedal",))}
    assert list(charts) == [
        "Frequency response", "Harmonics of a tone at -6 dBFS", "Group delay, small signal",
        "Each node alone, small signal",
    ]  # fmt: skip
    small = charts["Frequency response"].lines[0]
    np.testing.assert_array_equal(small.y, measured["response"].whole.small.magnitude_db)
    assert all(chart.svg().count("<path") > 5 for chart in charts.values())
    # A symmetric clipper makes odd harmonics.
    assert "H3" in [line.name for line in charts["Harmonics of a tone at -6 dBFS"].lines]


def test_curves_show_loops_and_the_nodes_that_bend(run, measured):
    one = attrs.evolve(run(), **measured)
    whole, nodes = curve_charts(Contents(runs=(one,)), ("pedal",))
    assert len(whole.lines) == len(measured["curve"].whole)
    assert [line.name for line in nodes.lines] == ["tanh"]
    line = nodes.lines[0]
    assert np.corrcoef(np.tanh(line.x), line.y)[0, 1] > 0.99


def test_runs_are_laid_over_each_other(run, measured):
    both = tuple(attrs.evolve(run(path=path), **measured) for path in ("a", "b"))
    (response,) = response_charts(Contents(runs=both), ("a", "b"))
    (curve,) = curve_charts(Contents(runs=both), ("a", "b"))
    assert [line.name for line in response.lines] == ["a", "b"]
    assert [line.colour for line in curve.lines] == [0, 1]


def test_without_measurements_there_are_no_charts(contents):
    assert response_charts(contents(), ("pedal",)) == ()
    assert curve_charts(contents(), ("pedal",)) == ()


class Blueprint:
    """Stand in for an experiment: the card asks for the name alone."""

    def __init__(self):
        self.run = type("Run", (), {"name": "pedal"})()


@pytest.fixture
def gathered(tmp_path, chain):
    """Gather a run folder's report."""
    folder = RunFolder(tmp_path)
    folder.resolved.write_text(tomli_w.dumps({"run": {"name": "pedal"}}), encoding="utf-8")
    folder.results.write_text(json.dumps({"steps": 7}), encoding="utf-8")
    journal = Journal(folder.journal)
    journal.write("val", 5, {"loss": 0.5})
    journal.close()
    scores = Scores(run="r", split="test", metrics={"esr": Interval(0.1)}, recordings={}, baselines={})
    evaluation = Evaluation(split="test", step=7, sample_rate=48000, metrics={}, examples=())
    return lambda: gather(
        folder=folder, scores=scores, evaluation=evaluation, model=chain, experiment=Blueprint()
    )


def test_what_a_folder_holds_is_gathered(gathered):
    found = gathered()
    assert found.resolved == {"run": {"name": "pedal"}}
    assert found.results == {"steps": 7}
    assert found.records == ({"kind": "val", "step": 5, "loss": 0.5},)
    assert found.lock == {}
    assert list(found.card.nodes) == ["low-pass", "tanh"]
    assert found.response is not None
    assert found.unmeasured == ""


def test_gathering_leaves_model_and_generator_as_they_were(gathered, chain):
    for training in (True, False):
        chain.train(training)
        torch.manual_seed(5)
        expected = torch.rand(1)
        torch.manual_seed(5)
        gathered()
        assert torch.equal(torch.rand(1), expected)
        assert chain.training is training


@pytest.mark.parametrize(
    ("error", "said"),
    [(RunError("it plays by itself"), "it plays by itself"), (ValueError("odd"), "ValueError: odd")],
)
def test_a_model_that_cannot_be_measured_is_reported_with_the_reason(gathered, monkeypatch, error, said):
    def fail(model):
        raise error

    monkeypatch.setattr(material, "frequency_response", fail)
    found = gathered()
    assert found.response is None
    assert found.unmeasured.endswith(said)


def test_a_run_gathered_twice_gives_the_same_bytes(gathered, tmp_path):
    for name in ("a.html", "b.html"):
        write_report(tmp_path / name, Contents(runs=(gathered(),)))
    assert (tmp_path / "a.html").read_bytes() == (tmp_path / "b.html").read_bytes()
