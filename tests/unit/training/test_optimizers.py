from __future__ import annotations

import pytest
import torch

from fxkit.testing.options import check_options_act, rounded
from fxkit_training.adagrad import Adagrad
from fxkit_training.adam import Adam
from fxkit_training.adamw import AdamW
from fxkit_training.muon import Muon
from fxkit_training.nadam import NAdam
from fxkit_training.radam import RAdam
from fxkit_training.rmsprop import RMSprop
from fxkit_training.sgd import SGD

SPECS = [Adam(), AdamW(), SGD(), RAdam(), NAdam(), RMSprop(), Adagrad(), Muon()]


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


# Muon takes the size out of gradients of one direction, as these are; the contract kit has others.
@pytest.mark.parametrize("spec", SPECS[:-1])
def test_every_option_acts(spec):
    # Long enough, and with slopes that change, for the averages to tell.
    def observe(changed):
        return [rounded(1e3 * weight) for weight in trained(changed, steps=6)]

    check_options_act(spec, observe, {"eps": [1e-3]})


@pytest.mark.parametrize("spec", [AdamW(lr=0.1, weight_decay=0.5), Muon(lr=0.1), RMSprop(lr=0.1)])
def test_a_group_that_says_its_decay_keeps_it_for_all_of_its_weights(spec):
    optimizer = spec.build([{"params": weights(), "weight_decay": 0.25}])
    assert {group["weight_decay"] for group in optimizer.param_groups} == {0.25}


def test_muon_makes_the_singular_values_of_a_matrix_update_equal():
    torch.manual_seed(3)
    matrix = torch.nn.Parameter(torch.zeros(16, 16))
    optimizer = Muon(lr=1.0, weight_decay=0.0).build([{"params": [matrix]}])
    matrix.grad = torch.randn(16, 16) @ torch.diag(torch.logspace(-0.5, 0.5, 16)) @ torch.randn(16, 16)
    before = torch.linalg.svdvals(matrix.grad)
    optimizer.step()
    after = torch.linalg.svdvals(matrix.detach())
    assert float(before[0] / before[4]) > 3
    assert float(after[0] / after[-4]) < 1.8
    # The root mean square of an update is 0.2, as AdamW's usually is.
    assert float(matrix.detach().square().mean().sqrt()) == pytest.approx(0.2, rel=0.2)


def test_muon_moves_what_is_no_matrix_as_adamw_does():
    given = {"lr": 0.1, "weight_decay": 0.0}
    _, mine = trained(Muon(**given), steps=5)
    _, theirs = trained(AdamW(**given), steps=5)
    assert torch.equal(mine, theirs)


def test_muon_follows_a_learning_rate_that_is_set_from_outside_after_loading_too():
    optimizer = Muon().build([{"params": weights(), "name": "amp"}])
    optimizer.load_state_dict(optimizer.state_dict())
    for group in optimizer.param_groups:
        group["lr"] = 0.0
    params = [weight for group in optimizer.param_groups for weight in group["params"]]
    before = [weight.detach().clone() for weight in params]
    for weight in params:
        weight.grad = torch.ones_like(weight)
    optimizer.step()
    assert all(torch.equal(one, other) for one, other in zip(before, params, strict=True))
