"""Runs compared on the recordings that they share."""

from __future__ import annotations

import types

import attrs
import numpy as np
import pytest
import torch

from fxkit.comparing import examine_all
from fxkit.confidence import mean_interval
from fxkit.engine.material import Material
from fxkit.engine.setup import prepare
from fxkit.errors import RunError
from fxkit.examination import Examination
from fxkit.experiment.tables import LossKeys
from fxkit.scoring import Candidate, examine
from fxkit.values import Recording

RATE = 48000


def takes(count, samples=4000, names="take"):
    """Return recordings of a device that doubles, each with noise of its own."""
    recordings = []
    for number in range(count):
        rng = np.random.default_rng(number)
        dry = torch.from_numpy(rng.normal(size=(1, samples))).float()
        wet = 2 * dry + 0.1 * (number + 1) * torch.from_numpy(rng.normal(size=(1, samples))).float()
        recordings.append(Recording(name=f"{names}{number}", target=wet, input=dry, digest=f"sha{number}"))
    return tuple(recordings)


@pytest.fixture
def candidate(kit):
    def make(name, start, recordings, loss=None, **rest):
        nodes = {"a": kit.node("a", kit.Scale(), kit.Learned(start=start))}
        losses = {"mse": kit.make_part("losses.mse", "losses", loss or kit.Squared(), LossKeys(**rest))}
        prepared = prepare(kit.make_experiment(nodes, ("a",), losses=losses), device="cpu")
        trained = types.SimpleNamespace(model=prepared.model, sample_rate=RATE, device="cpu")
        material = Material(recordings=recordings, features=tuple({} for _ in recordings))
        return Candidate(name=name, trained=trained, prepared=prepared, material=material)

    return make


def errors(start, recordings):
    """Return the squared errors of a gain of 8 start - 4."""
    gain = 8 * start - 4
    return [float((gain * one.input - one.target).double().square().mean()) for one in recordings]


def test_a_runs_figures_have_limits_over_recordings(candidate):
    recordings = takes(6)
    scores = examine(candidate("one", 0.7, recordings), Examination()).scores
    expected = mean_interval(errors(0.7, recordings))
    assert attrs.astuple(scores.metrics["mse"]) == pytest.approx(attrs.astuple(expected), rel=1e-4)
    assert scores.metrics["loss"] == scores.metrics["mse"]
    assert scores.stretches == {}
    assert list(scores.recordings) == [f"take{n}" for n in range(6)]
    assert set(scores.baselines) == {"silence", "input", "gain", "filter"}


def test_few_recordings_have_limits_over_stretches_of_time(candidate):
    scores = examine(candidate("one", 0.7, takes(1, samples=480_000)), Examination()).scores
    assert not scores.metrics["mse"].known
    found = scores.stretches["mse"]
    assert found.low < found.value < found.high < 1.1 * found.value
    assert found.value == scores.metrics["mse"].value


def test_no_stretches_are_taken_where_none_are_asked_for(candidate):
    plain = Examination(stretches=0)
    assert examine(candidate("one", 0.7, takes(1, samples=480_000)), plain).scores.stretches == {}


def test_differences_are_paired_by_content_whatever_the_names_and_the_order(candidate):
    recordings, renamed = takes(6), tuple(reversed(takes(6, names="other")))
    _, found = examine_all(
        [candidate("one", 0.7, recordings), candidate("two", 0.74, renamed)], Examination()
    )
    pairs = zip(errors(0.74, recordings), errors(0.7, recordings), strict=True)
    expected = mean_interval([b - a for b, a in pairs])
    assert attrs.astuple(found.differences["two"]["mse"]) == pytest.approx(attrs.astuple(expected), rel=1e-3)
    assert found.differences["two"]["mse"].sign == -1
    assert (found.over, found.notes) == ("recordings", ())


def test_pairing_tells_apart_what_single_figures_do_not(candidate):
    scored, found = examine_all(
        [candidate("one", 0.745, takes(6)), candidate("two", 0.75, takes(6))], Examination()
    )
    first, second = (one.scores.metrics["mse"] for one in scored)
    assert second.high > first.low
    assert found.differences["two"]["mse"].sign == -1


def test_few_recordings_are_paired_by_stretches_of_time(candidate):
    long = takes(2, samples=240_000)
    _, found = examine_all([candidate("one", 0.74, long), candidate("two", 0.745, long)], Examination())
    assert found.over == "stretches"
    difference = found.differences["two"]["mse"]
    expected = np.mean(errors(0.745, long)) - np.mean(errors(0.74, long))
    assert difference.value == pytest.approx(expected, rel=1e-3)
    assert difference.sign == -1


def test_recordings_that_one_run_lacks_are_left_out_and_named(candidate):
    more, fewer = takes(7), takes(6)
    scored, found = examine_all([candidate("one", 0.7, more), candidate("two", 0.7, fewer)], Examination())
    assert [len(one.scores.recordings) for one in scored] == [6, 6]
    assert found.notes == ("one: left out, as not all runs have them: take6",)


def test_recordings_scored_from_different_starts_are_not_the_same(candidate):
    cut = tuple(attrs.evolve(one, skip=100) for one in takes(6))
    with pytest.raises(RunError, match="one, two: have no recording in common"):
        examine_all([candidate("one", 0.7, takes(6)), candidate("two", 0.7, cut)], Examination())


def test_runs_at_different_rates_are_refused(candidate):
    one, two = candidate("one", 0.7, takes(6)), candidate("two", 0.7, takes(6))
    two.trained.sample_rate = 44100
    with pytest.raises(RunError, match="two: runs at 44100 Hz and one at 48000 Hz"):
        examine_all([one, two], Examination())


def test_metrics_of_one_name_but_other_options_are_not_compared(kit, candidate):
    @attrs.frozen
    class Halved:
        def build(self, ctx):
            return lambda output, batch: (output.audio - batch.target).square().mean((1, 2)) / 2

    one, two = candidate("one", 0.7, takes(6)), candidate("two", 0.7, takes(6), loss=Halved())
    _, found = examine_all([one, two], Examination())
    assert found.differences == {"two": {}}
    assert found.notes == (
        "mse: not compared, its options differ",
        "loss: not compared, the runs weigh different losses",
    )


def test_other_weights_make_another_total(candidate):
    one, two = candidate("one", 0.7, takes(6)), candidate("two", 0.72, takes(6), weight=3.0)
    _, found = examine_all([one, two], Examination())
    assert set(found.differences["two"]) == {"mse"}
