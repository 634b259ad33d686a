from __future__ import annotations

import pytest
import torch

from fxkit.testing.options import check_options_act, rounded
from fxkit_training.adam import Adam
from fxkit_training.adamw import AdamW
from fxkit_training.sgd import SGD

SPECS = [Adam(), AdamW(), SGD()]


def weights() -> list[torch.nn.Parameter]:
    return [torch.nn.Parameter(torch.ones(2, 2)), torch.nn.Parameter(torch.ones(2))]


def trained(spec, steps: int = 4, **group) -> list[torch.Tensor]:
    """Return matrix and bias after steps down a slope that changes from step to step."""
    params = weights()
    optimizer = spec.build([{"params": params, **group}])
    for step in range(steps):
        for param in params:
            param.grad = torch.full_like(param, 0.01 * (1 + step % 3))
        optimizer.step()
    return [param.detach() for param in params]


def test_sgd_steps_by_rate_and_momentum():
    _, bias = trained(SGD(lr=0.1, momentum=0.5), steps=2)
    assert bias.tolist() == pytest.approx([1 - 0.1 * 0.01 - 0.1 * (0.02 + 0.5 * 0.01)] * 2, rel=1e-6)


@pytest.mark.parametrize("spec", [Adam(lr=0.1), AdamW(lr=0.1)])
def test_adam_first_steps_by_the_rate_whatever_the_slope(spec):
    _, bias = trained(spec, steps=1)
    assert bias.tolist() == pytest.approx([0.9] * 2, rel=1e-5)


@pytest.mark.parametrize("spec", [AdamW(lr=0.1, weight_decay=0.5), SGD(lr=0.1, weight_decay=0.5)])
def test_decay_shrinks_matrices_alone(spec):
    params = weights()
    optimizer = spec.build([{"params": params}])
    for param in params:
        param.grad = torch.zeros_like(param)
    optimizer.step()
    assert params[0].flatten().tolist() == pytest.approx([0.95] * 4)
    assert params[1].tolist() == [1.0, 1.0]


@pytest.mark.parametrize("spec", SPECS)
def test_a_group_keeps_its_own_rate(spec):
    slow, fast = (trained(spec, lr=lr) for lr in (1e-4, 1e-2))
    assert float(1 - slow[1][0]) < float(1 - fast[1][0]) / 50


@pytest.mark.parametrize("spec", SPECS)
def test_groups_are_left_as_they_were_given(spec):
    params = weights()
    group = {"params": params, "lr": 0.5, "name": "nodes.amp"}
    optimizer = spec.build([group])
    assert group == {"params": params, "lr": 0.5, "name": "nodes.amp"}
    assert {built["name"] for built in optimizer.param_groups} == {"nodes.amp"}
    assert sum(len(built["params"]) for built in optimizer.param_groups) == 2


@pytest.mark.parametrize("spec", SPECS)
def test_every_option_acts(spec):
    # Long enough, and with slopes that change, for the averages to tell.
    def observe(changed):
        return [rounded(1e3 * weight) for weight in trained(changed, steps=6)]

    check_options_act(spec, observe, {"eps": [1e-3]})
