"""Learning rates over the steps: published when due, told when one that was held jumps."""

from __future__ import annotations

import math
from types import SimpleNamespace

import pytest

from fxkit import BuildContext
from fxkit_callbacks.lr_monitor import LRMonitor


@pytest.fixture
def run(make_run):
    made = make_run()
    stage = SimpleNamespace(name="training", schedule=SimpleNamespace(name="plateau"))
    made.course = SimpleNamespace(stages=(stage,), stage=stage)
    made.published = []
    made.publish = lambda name, step, values: made.published.append((name, step, dict(values)))
    return made


def train(run, monitor, rates, first=1):
    if first == 1:
        monitor.fx_run_start(run=run)
    for step, rate in enumerate(rates, first):
        run.learning_rates = {"amp": rate, "drive": 0.5}
        monitor.fx_step_end(run=run, step=step)


def build(**options):
    return LRMonitor(**options).build(BuildContext())


def test_rates_are_published_when_due(run):
    train(run, build(every=2), [0.1, 0.1, 0.1, 0.1])
    rates = {"amp": 0.1, "drive": 0.5}
    assert run.published == [("learning-rate", 2, rates), ("learning-rate", 4, rates)]


def test_a_rate_that_was_held_and_falls_is_told_and_published_at_once(run):
    train(run, build(every=0), [0.1] * 4 + [0.05] * 4 + [0.025])
    assert run.said == [
        "step 5  learning rate of amp  0.1 -> 0.05 by plateau",
        "step 9  learning rate of amp  0.05 -> 0.025 by plateau",
    ]
    assert [(step, values["amp"]) for _, step, values in run.published] == [(5, 0.05), (9, 0.025)]


def test_a_rate_that_always_moves_is_not_talked_about(run):
    cosine = [0.05 * (1 + math.cos(math.pi * step / 50)) for step in range(50)]
    train(run, build(every=10), cosine)
    assert run.said == []
    assert len(run.published) == 5


def test_many_jumps_are_counted_rather_than_told(run):
    monitor = build(every=0)
    train(run, monitor, [0.1 * 2.0 ** -(step // 5) for step in range(200)])
    monitor.fx_close(run=run)
    assert len(run.said) == 21
    assert run.said[-1] == "lr-monitor: 19 more changes of learning rates"


def test_a_new_phase_is_no_jump(run):
    monitor = build(every=0)
    train(run, monitor, [0.1] * 5)
    run.course.stage = SimpleNamespace(name="second", schedule=None)
    train(run, monitor, [0.01] * 2, first=6)
    assert run.said == []


def test_nothing_is_told_where_that_is_not_wanted(run):
    train(run, build(every=0, tell=False), [0.1] * 4 + [0.05])
    assert run.said == []
    assert len(run.published) == 1


def test_a_resumed_run_tells_the_same(run):
    rates = [0.1] * 4 + [0.05] * 4
    first, second = build(every=0), build(every=0)
    train(run, first, rates[:4])
    second.load_state_dict(first.state_dict())
    train(run, second, rates[4:], first=5)
    assert run.said == ["step 5  learning rate of amp  0.1 -> 0.05 by plateau"]
