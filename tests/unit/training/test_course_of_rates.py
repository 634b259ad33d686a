"""Schedules by the share of the run that is over, and by validations."""

from __future__ import annotations

import math

import pytest
import torch

from fxkit_training.constant import Constant
from fxkit_training.cosine import Cosine
from fxkit_training.multi_step import MultiStep
from fxkit_training.one_cycle import OneCycle
from fxkit_training.plateau import Plateau
from fxkit_training.polynomial import Polynomial
from fxkit_training.step_decay import StepDecay
from fxkit_training.warm_restarts import WarmRestarts


def built(spec, steps=None):
    optimizer = torch.optim.SGD([torch.nn.Parameter(torch.zeros(1))], lr=2.0)
    return optimizer, spec.build(optimizer, steps)


def followed(spec, shares):
    """Return the factor at the start and after each step, behind which a share of the run is over."""
    optimizer, schedule = built(spec)
    found = [optimizer.param_groups[0]["lr"] / 2]
    for share in shares:
        schedule.advance(share)
        found.append(optimizer.param_groups[0]["lr"] / 2)
    return found


SHARES = (0.1, 0.15, 0.5, 0.8, 1.0)


def test_a_schedule_follows_the_share_and_not_the_steps():
    expected = [0.5 * (1 + math.cos(math.pi * share)) for share in (0.0, *SHARES)]
    assert followed(Cosine(), SHARES) == pytest.approx(expected)


def test_what_is_left_behind_a_warm_up_is_the_whole_curve():
    # Two steps of rise end when 0.15 of the time is over.
    expected = [1 / 3, 2 / 3, *(0.5 * (1 + math.cos(math.pi * (s - 0.15) / 0.85)) for s in SHARES[1:])]
    assert followed(Cosine(warmup=2), SHARES) == pytest.approx(expected)


def test_polynomial_is_a_power_of_what_is_left():
    assert followed(Polynomial(), SHARES) == pytest.approx([1 - share for share in (0.0, *SHARES)])
    expected = [0.1 + 0.9 * (1 - share) ** 0.9 for share in (0.0, *SHARES)]
    assert followed(Polynomial(power=0.9, final=0.1), SHARES) == pytest.approx(expected)


def test_multi_step_falls_at_its_points():
    expected = [1, 1, 1, 0.5, 0.25, 0.25]
    assert followed(MultiStep(at=(0.5, 0.8), ratio=0.5), SHARES) == pytest.approx(expected)


def test_step_decay_counts_steps():
    assert followed(StepDecay(every=2, ratio=0.5), SHARES) == pytest.approx([1, 1, 0.5, 0.5, 0.25, 0.25])


def test_one_cycle_rises_to_the_rate_and_falls_to_its_end():
    found = followed(OneCycle(rise=0.5, start=0.1, final=0.0), (0.25, 0.5, 0.75, 1.0))
    assert found == pytest.approx([0.1, 0.55, 1.0, 0.5, 0.0])


def test_warm_restarts_start_from_the_top_again():
    found = followed(WarmRestarts(cycles=2, growth=3.0), (0.125, 0.2499, 0.25, 0.625, 1.0))
    assert found == pytest.approx([1.0, 0.5, 0.0, 1.0, 0.5, 0.0], abs=1e-5)


def test_plateau_falls_after_its_patience_and_no_lower_than_it_may():
    optimizer, schedule = built(Plateau(ratio=0.1, patience=2, min_delta=0.1, lowest=0.05))
    found = []
    for metric in (10.0, 8.0, 7.5, 7.3, 9.0, 9.0, 9.0):
        schedule.observe(metric)
        schedule.advance(0.0)
        found.append(optimizer.param_groups[0]["lr"] / 2)
    # 7.5 and 7.3 are not a tenth below 8.
    assert found == pytest.approx([1, 1, 1, 0.1, 0.1, 0.05, 0.05])


def test_plateau_goes_on_from_its_state():
    (first, schedule), (second, other) = built(Plateau(patience=2)), built(Plateau(patience=2))
    for metric in (1.0, 2.0):
        schedule.observe(metric)
    other.load_state_dict(schedule.state_dict())
    for one in (schedule, other):
        one.observe(3.0)
        one.advance(0.5)
    assert first.param_groups[0]["lr"] == second.param_groups[0]["lr"] == 1.0


@pytest.mark.parametrize(
    "spec",
    [Constant(), Cosine(), Polynomial(), MultiStep(), OneCycle(), WarmRestarts(), StepDecay(), Plateau()],
)
def test_without_a_number_of_steps_a_schedule_is_finite(spec):
    assert all(0 <= factor <= 1 for factor in followed(spec, [step / 50 for step in range(1, 60)]))
