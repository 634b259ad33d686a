from __future__ import annotations

import math

import pytest
import torch

from fxkit.testing.options import check_options_act
from fxkit_training.constant import Constant
from fxkit_training.cosine import Cosine
from fxkit_training.exponential import Exponential

STEPS = 20


def built(spec, rates=(0.5,), steps: int = STEPS):
    groups = [{"params": [torch.nn.Parameter(torch.zeros(1))], "lr": rate} for rate in rates]
    optimizer = torch.optim.SGD(groups, lr=1.0)
    return optimizer, spec.build(optimizer, steps)


def rates(spec, steps: int = STEPS, **kwargs) -> list[list[float]]:
    """Return the learning rates of all groups at each step."""
    optimizer, scheduler = built(spec, steps=steps, **kwargs)
    found = []
    for _ in range(steps):
        found.append([group["lr"] for group in optimizer.param_groups])
        optimizer.step()
        scheduler.step()
    return found


def shares(spec, steps: int = STEPS) -> list[float]:
    return [rate[0] / 0.5 for rate in rates(spec, steps)]


def test_constant_holds_the_rate():
    assert shares(Constant()) == [1.0] * STEPS


def test_cosine_goes_from_the_whole_rate_to_the_final_share():
    expected = [0.1 + 0.9 * (1 + math.cos(math.pi * step / 19)) / 2 for step in range(STEPS)]
    assert shares(Cosine(final=0.1)) == pytest.approx(expected)


def test_exponential_halves_the_rate_once_per_half_life():
    assert shares(Exponential(half_life=5)) == pytest.approx([0.5 ** (step / 5) for step in range(STEPS)])


@pytest.mark.parametrize("spec", [Constant(warmup=4), Cosine(warmup=4), Exponential(warmup=4)])
def test_the_rate_rises_straight_to_its_peak_after_the_warmup(spec):
    found = shares(spec)
    assert found[:5] == pytest.approx([0.2, 0.4, 0.6, 0.8, 1.0])
    assert max(found) == pytest.approx(1.0)


def test_cosine_after_a_warmup_still_ends_at_its_final_share():
    assert shares(Cosine(final=0.25, warmup=4))[-1] == pytest.approx(0.25)


@pytest.mark.parametrize("spec", [Constant(warmup=50), Cosine(warmup=50), Cosine(), Exponential(warmup=50)])
@pytest.mark.parametrize("steps", [1, 3])
def test_short_runs_are_no_trouble(spec, steps):
    assert all(0 <= share <= 1 and math.isfinite(share) for share in shares(spec, steps))


@pytest.mark.parametrize("spec", [Constant(warmup=3), Cosine(final=0.1), Exponential(half_life=4)])
def test_groups_keep_the_ratio_of_their_rates(spec):
    for slow, fast in rates(spec, rates=(0.1, 0.4)):
        assert fast == pytest.approx(4 * slow)


@pytest.mark.parametrize("spec", [Constant(warmup=9), Cosine(warmup=3, final=0.2), Exponential(half_life=4)])
def test_a_saved_schedule_goes_on_where_it_was(spec):
    whole = shares(spec)
    optimizer, scheduler = built(spec)
    for _ in range(7):
        optimizer.step()
        scheduler.step()
    other, resumed = built(spec)
    other.load_state_dict(optimizer.state_dict())
    resumed.load_state_dict(scheduler.state_dict())
    for share in whole[7:]:
        assert other.param_groups[0]["lr"] / 0.5 == pytest.approx(share, rel=1e-12)
        other.step()
        resumed.step()


@pytest.mark.parametrize("spec", [Constant(), Cosine(), Exponential(half_life=10)])
def test_every_option_acts(spec):
    check_options_act(spec, shares, {})
