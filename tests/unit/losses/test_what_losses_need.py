"""Losses that the material or the experiment does not suit are refused, not measured wrongly."""

from __future__ import annotations

import pytest
import torch

from fxkit.catalog import Catalog
from fxkit.context import BuildContext
from fxkit.engine.objective import build_terms, measure
from fxkit.errors import AssemblyError, ExperimentError
from fxkit.experiment.reader import read_document
from fxkit.values import Batch, Output

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


def test_a_metric_of_which_more_is_better_knows_it_and_may_choose_the_best():
    train = {**DOCUMENT["train"], "best": "pitch"}
    experiment = read(metrics={"pitch": {"type": "raw-pitch-accuracy"}}, train=train)
    wave, pitch = build_terms(experiment.losses, experiment.metrics, BuildContext())
    assert not wave.higher_is_better
    assert pitch.higher_is_better


def test_a_metric_without_a_gradient_cannot_be_trained_on():
    with pytest.raises(ExperimentError, match=r"move it to \[metrics.pitch\]"):
        read(losses={"pitch": {"type": "f0-error"}})


@pytest.mark.parametrize(
    "names", [("esr", "si-sdr", "multi-resolution-stft", "mel-stft"), ("cosine", "envelope")]
)
def test_any_loss_measures_under_metrics_what_it_does_under_losses(names):
    tables = {name: {"type": name} for name in names}
    draw = torch.Generator().manual_seed(0)
    target = 0.1 * torch.randn(2, 1, 4096, generator=draw)
    output, batch = Output(audio=0.8 * target), Batch(target=target)
    found = read(metrics=tables)
    watched = measure(build_terms(found.losses, found.metrics, BuildContext()), output, batch)
    trained = measure(terms(BuildContext(), **tables), output, batch)
    assert {name: watched[name].tolist() for name in names} == {
        name: trained[name].tolist() for name in names
    }


@pytest.mark.parametrize(
    "name", ["stft", "multi-resolution-stft", "mel-stft", "random-resolution-stft", "novelty"]
)
def test_segments_one_sample_too_short_are_refused_before_the_first_step(name):
    catalog = Catalog.installed(in_tree_only=True)
    spec = catalog.spec(catalog.find("losses", name))
    least = spec().traits(BuildContext()).least_samples
    losses = {"far": {"type": name}}
    assert read(losses=losses, data={"type": "virtual-device", "segment": least}).losses
    with pytest.raises(ExperimentError, match=rf"needs {least} samples, data\.segment is {least - 1}"):
        read(losses=losses, data={"type": "virtual-device", "segment": least - 1})
