"""Losses that the material or the experiment does not suit are refused, not measured wrongly."""

from __future__ import annotations

import pytest

from fxkit.context import BuildContext
from fxkit.engine.objective import build_terms
from fxkit.errors import AssemblyError, ExperimentError
from fxkit.experiment.reader import read_document

DOCUMENT = {
    "fxkit": 1,
    "data": {"type": "virtual-device", "segment": 4096},
    "nodes": {"amp": {"type": "lstm", "hidden": 4}},
    "model": {"chain": ["amp"]},
    "losses": {"wave": {"type": "esr"}},
    "train": {"steps": 2, "optimizer": {"type": "adam"}},
}


def read(**tables):
    return read_document({**DOCUMENT, **tables}, "made-up.toml")


def terms(ctx, **losses):
    experiment = read(losses=losses)
    return build_terms(experiment.losses, experiment.metrics, ctx)


STEREO = {"type": "sum-difference", "inner": {"type": "l1"}}


def test_a_stereo_loss_is_refused_on_mono():
    with pytest.raises(AssemblyError, match=r"losses\.wide: sum-difference takes 2 channels"):
        terms(BuildContext(), wide=STEREO)
    assert len(terms(BuildContext(channels=2, target_channels=2), wide=STEREO)) == 1


def test_a_stereo_loss_inside_a_sum_is_refused_too():
    inside = {"type": "weighted-sum", "terms": [STEREO, {"type": "l1"}]}
    with pytest.raises(AssemblyError, match="takes 2 channels"):
        terms(BuildContext(), all=inside)


def test_what_compares_with_the_input_is_refused_without_one():
    with pytest.raises(AssemblyError, match=r"losses\.new: novelty compares with the input"):
        terms(BuildContext(channels=0), new={"type": "novelty"})
    assert len(terms(BuildContext(), new={"type": "novelty"})) == 1


def test_a_metric_of_which_more_is_better_cannot_choose_the_lowest():
    train = {**DOCUMENT["train"], "best": "pitch"}
    with pytest.raises(ExperimentError, match=r"train\.best: the best weights are those of the lowest value"):
        read(metrics={"pitch": {"type": "raw-pitch-accuracy"}}, train=train)


def test_a_metric_without_a_gradient_cannot_be_trained_on():
    with pytest.raises(ExperimentError, match=r"move it to \[metrics.pitch\]"):
        read(losses={"pitch": {"type": "f0-error"}})
