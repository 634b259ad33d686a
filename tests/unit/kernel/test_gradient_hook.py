"""The hook between backward pass and update: complete gradients, not yet clipped, and no cost unasked."""

from __future__ import annotations

import attrs
import pytest
import torch

import fxkit
from fxkit.engine.setup import prepare
from fxkit.experiment.tables import CallbackKeys
from fxkit.job import open_run, run_experiment
from fxkit.runs.folder import create_folder
from fxkit.runs.progress import Silent


class Looks:
    """Remember the gradients of each step, and whether the weights had moved."""

    def __init__(self):
        self.steps, self.norms, self.weights = [], [], []

    @fxkit.hookimpl
    def fx_gradients(self, run, step):
        weights = list(run.model.parameters())
        self.steps.append((step, run.step))
        self.norms.append(float(torch.stack([weight.grad.norm() for weight in weights]).norm()))
        self.weights.append([weight.detach().clone() for weight in weights])


def scaling(kit, looks=None, **rest):
    nodes = {"a": kit.node("a", kit.Scale(), kit.Learned(start=0.5))}

    @attrs.frozen
    class Spec:
        def build(self, ctx):
            return looks

    if looks is not None:
        part = kit.make_part("callbacks.looks", "callbacks", Spec(), CallbackKeys(on_error="raise"))
        rest["callbacks"] = {"looks": part}
    return kit.make_experiment(nodes, ("a",), **rest)


def test_it_comes_once_a_step_with_the_gradients_that_clipping_has_not_touched(kit, tmp_path):
    free, clipped = Looks(), Looks()
    run_experiment(scaling(kit, free, train={"steps": 3}), progress=Silent(), out=tmp_path / "free")
    short = {"steps": 3, "clip_norm": 1e-3}
    run_experiment(scaling(kit, clipped, train=short), progress=Silent(), out=tmp_path / "clipped")
    assert free.steps == clipped.steps == [(1, 0), (2, 1), (3, 2)]
    assert clipped.norms[0] == free.norms[0] > 0.01


def test_it_comes_before_the_update(kit, tmp_path):
    looks = Looks()
    experiment = scaling(kit, looks, train={"steps": 2})
    start = [weight.detach().clone() for weight in prepare(experiment, device="cpu").model.parameters()]
    run_experiment(experiment, progress=Silent(), out=tmp_path / "run")
    assert all(torch.equal(one, other) for one, other in zip(looks.weights[0], start, strict=True))
    assert not all(torch.equal(one, other) for one, other in zip(looks.weights[1], start, strict=True))


def test_the_gradient_of_a_batch_in_parts_is_complete(kit, tmp_path):
    whole, parts = Looks(), Looks()
    for name, looks, train in (("whole", whole, {}), ("parts", parts, {"accumulate": 2})):
        table = {"steps": 1, "batch_size": 4, **train}
        run_experiment(scaling(kit, looks, train=table), progress=Silent(), out=tmp_path / name)
    assert parts.norms == pytest.approx(whole.norms, rel=1e-5)


def test_looking_changes_no_bit_of_what_is_learned(kit, tmp_path):
    results = [
        run_experiment(scaling(kit, looks, train={"steps": 5}), progress=Silent(), out=tmp_path / name)
        for name, looks in (("with", Looks()), ("without", None))
    ]
    assert results[0].test == results[1].test


def test_nothing_is_called_where_no_callback_looks(kit, tmp_path):
    run = open_run(prepare(scaling(kit), device="cpu"), create_folder(tmp_path / "run"), Silent())
    assert run.course.on_gradients is None
