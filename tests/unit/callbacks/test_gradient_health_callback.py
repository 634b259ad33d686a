"""Norms of gradients, weights and updates by node, against plain sums; and what is warned of."""

from __future__ import annotations

import math
from types import SimpleNamespace

import pytest
import torch

from fxkit import BuildContext
from fxkit_callbacks.gradient_health import GradientHealth


class Training:
    """Two nodes, one with two groups; `step` moves their weights by given gradients."""

    def __init__(self, run):
        draw = torch.Generator().manual_seed(1)
        self.weights = [
            torch.nn.Parameter(torch.randn(shape, generator=draw)) for shape in ((3, 4), (4,), (5,))
        ]
        groups = [
            {"name": name, "params": [weight], "lr": 0.1}
            for name, weight in zip(("amp", "amp", "drive"), self.weights, strict=True)
        ]
        self.optimizer = torch.optim.SGD(groups)
        self.run = run
        run.course = SimpleNamespace(learner_at=lambda step: SimpleNamespace(optimizer=self.optimizer))
        run.published = []
        run.publish = lambda name, step, values: run.published.append((name, step, dict(values)))

    def step(self, health, step, gradients, *, ends=True):
        for weight, gradient in zip(self.weights, gradients, strict=True):
            weight.grad = gradient
        health.fx_gradients(run=self.run, step=step)
        self.optimizer.step()
        if ends:
            health.fx_step_end(run=self.run, step=step)


@pytest.fixture
def training(make_run):
    return Training(make_run())


def build(**options):
    return GradientHealth(**{"every": 1, **options}).build(BuildContext())


def norm(*tensors):
    return math.sqrt(sum(float(value) ** 2 for tensor in tensors for value in tensor.detach().flatten()))


def test_figures_are_those_of_plain_sums(training):
    before = [weight.detach().clone() for weight in training.weights]
    gradients = [torch.full((3, 4), 0.5), torch.tensor([0.0, 1.0, 0.0, 2.0]), torch.full((5,), 0.25)]
    training.step(build(), 1, gradients)
    ((name, step, values),) = training.run.published
    assert (name, step) == ("gradients", 1)
    assert values["amp/gradient"] == pytest.approx(norm(*gradients[:2]), rel=1e-6)
    assert values["amp/weight"] == pytest.approx(norm(*before[:2]), rel=1e-6)
    assert values["amp/update"] == pytest.approx(0.1 * norm(*gradients[:2]) / norm(*before[:2]), rel=1e-5)
    assert values["amp/zero"] == pytest.approx(2 / 16)
    assert values["drive/gradient"] == pytest.approx(norm(gradients[2]), rel=1e-6)
    assert values["drive/zero"] == values["drive/non-finite"] == 0.0


def test_missing_and_non_finite_gradients_are_counted(training):
    gradients = [None, torch.tensor([math.nan, math.inf, 1.0, 0.0]), torch.ones(5)]
    training.step(build(), 1, gradients)
    values = training.run.published[0][2]
    assert values["amp/zero"] == pytest.approx(13 / 16)
    assert values["amp/non-finite"] == pytest.approx(2 / 16)


def test_a_node_without_a_gradient_is_named_once_with_what_to_do(training):
    health = build(patience=3)
    for step in range(1, 8):
        training.step(health, step, [torch.ones(3, 4), torch.ones(4), None])
    (line,) = training.run.said
    assert line.startswith(
        "gradient-health: step 3: drive receives no gradient: nothing that it does reaches"
    )
    assert "or freeze it" in line


@pytest.mark.parametrize(
    ("options", "scale", "expected"),
    [
        ({"slow": 1e-3}, 1e-4, "amp hardly moves: a step changes its weights by"),
        ({"fast": 0.1}, 5.0, "amp leaps: a step changes its weights by"),
    ],
)
def test_a_node_that_crawls_or_leaps_is_named(training, options, scale, expected):
    health = build(patience=2, **options)
    for step in (1, 2):
        own = [scale * weight.detach() for weight in training.weights[:2]]
        training.step(health, step, [*own, 0.1 * training.weights[2].detach()])
    assert [line for line in training.run.said if expected in line]
    assert not [line for line in training.run.said if "drive" in line]


def test_a_passing_fault_is_not_warned_of(training):
    health = build(patience=2)
    for step in range(1, 8):
        odd = None if step % 2 else torch.ones(5)
        training.step(health, step, [torch.ones(3, 4), torch.ones(4), odd])
    assert training.run.said == []


def test_nothing_is_measured_in_steps_that_are_not_due(training, monkeypatch):
    health = build(every=5)
    monkeypatch.setattr("fxkit_callbacks._gradients.Measurement", None)
    for step in (1, 2, 3, 4):
        training.step(health, step, [torch.ones(3, 4), torch.ones(4), torch.ones(5)])
    assert training.run.published == []


def test_gradients_and_weights_are_left_as_they_were(training):
    gradients = [torch.ones(3, 4), torch.ones(4), torch.ones(5)]
    for weight, gradient in zip(training.weights, gradients, strict=True):
        weight.grad = gradient.clone()
    before = [weight.detach().clone() for weight in training.weights]
    build().fx_gradients(run=training.run, step=1)
    for weight, gradient, value in zip(training.weights, gradients, before, strict=True):
        assert torch.equal(weight.grad, gradient)
        assert torch.equal(weight, value)


def test_a_state_that_is_saved_between_update_and_end_of_a_step_loses_no_figure(training, make_run):
    whole, cut = build(), build()
    other = Training(make_run(name="other"))
    gradients = [torch.ones(3, 4), torch.ones(4), torch.ones(5)]
    training.step(whole, 1, gradients)
    other.step(cut, 1, gradients, ends=False)
    again = build()
    again.load_state_dict(cut.state_dict())
    again.fx_step_end(run=other.run, step=1)
    assert other.run.published == training.run.published


def test_weights_that_start_at_nought_have_moved_beyond_all_measure(training):
    with torch.no_grad():
        training.weights[2].zero_()
    training.step(build(), 1, [torch.ones(3, 4), torch.ones(4), torch.ones(5)])
    values = training.run.published[0][2]
    assert values["drive/weight"] == 0.0
    assert values["drive/update"] == math.inf
