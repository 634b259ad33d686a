from __future__ import annotations

from types import SimpleNamespace

import pytest
import torch

from fxkit.engine.loop import borrowed
from fxkit.errors import RunError
from fxkit_callbacks.ema import EMA


def run_with(value, keep="best"):
    model = torch.nn.Linear(1, 1, bias=False)
    model.weight.data.fill_(value)
    return SimpleNamespace(model=model, experiment=SimpleNamespace(train=SimpleNamespace(keep=keep)))


def followed(average, values):
    """Show the weights of each step to the callback, and return the average at the end."""
    run = run_with(0.0)
    for step, value in enumerate(values, 1):
        run.model.weight.data.fill_(value)
        average.fx_step_end(run, step)
    return None if not average.weights else float(average.weights["weight"])


def test_the_average_is_that_of_its_recursion():
    values = [1.0, 3.0, -2.0, 5.0, 0.5]
    expected = values[0]
    for update, value in enumerate(values[1:], 1):
        decay = min(0.3, (1 + update) / (10 + update))
        expected = decay * expected + (1 - decay) * value
    assert followed(EMA(decay=0.3).build(None), values) == pytest.approx(expected, rel=1e-6)


def test_steps_before_the_start_do_not_count():
    assert followed(EMA(start=3).build(None), [9.0, 9.0, 9.0]) is None
    assert followed(EMA(start=3).build(None), [9.0, 9.0, 9.0, 2.0]) == 2.0


def test_a_step_that_a_validation_has_seen_counts_once():
    average, run = EMA(decay=0.5).build(None), run_with(1.0)
    average.fx_step_end(run, 1)
    run.model.weight.data.fill_(2.0)
    seen = float(average.fx_validation_weights(run, 2)["weight"])
    average.fx_step_end(run, 2)
    assert float(average.weights["weight"]) == seen
    assert 1.0 < seen < 2.0


def test_its_state_goes_on():
    average = EMA(decay=0.5).build(None)
    followed(average, [1.0, 2.0])
    other = EMA(decay=0.5).build(None)
    other.load_state_dict(average.state_dict())
    run = run_with(4.0)
    average.fx_step_end(run, 3)
    other.fx_step_end(run, 3)
    assert torch.equal(average.weights["weight"], other.weights["weight"])


def test_a_run_that_keeps_its_last_weights_is_refused():
    with pytest.raises(RunError, match=r"write train\.keep"):
        EMA().build(None).fx_run_start(run_with(0.0, keep="last"))


def test_weights_are_given_back_whatever_happens():
    model = run_with(1.5).model
    seen = []

    def fail():
        with borrowed(model, {"weight": torch.full((1, 1), 7.0)}):
            seen.append(model.weight.item())
            raise KeyError

    with pytest.raises(KeyError):
        fail()
    assert (seen, model.weight.item()) == ([7.0], 1.5)
