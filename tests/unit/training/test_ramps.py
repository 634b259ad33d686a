"""Weights of losses follow their ramps, by shares and by steps, and end where validations weigh."""

from __future__ import annotations

import math

import pytest
from hypothesis import given
from hypothesis import strategies as st

from fxkit.context import BuildContext
from fxkit_training.cosine_ramp import CosineRamp
from fxkit_training.cyclical_ramp import CyclicalRamp
from fxkit_training.delayed_ramp import DelayedRamp
from fxkit_training.exponential_ramp import ExponentialRamp
from fxkit_training.linear_ramp import LinearRamp
from fxkit_training.sigmoid_ramp import SigmoidRamp
from fxkit_training.steps_ramp import StepsRamp

MOVING = (LinearRamp, CosineRamp, SigmoidRamp, ExponentialRamp, CyclicalRamp)
weights = st.floats(1e-3, 1e3)
shares = st.floats(0, 1)


def built(spec):
    return spec.build(BuildContext())


def weight(spec, step=0, share=0.0):
    return built(spec).weight(step, share)


def test_a_linear_ramp_is_a_straight_line_between_two_shares_of_the_training():
    ramp = LinearRamp(start=0.2, final=1.0, begin=0.25, end=0.75)
    found = [weight(ramp, share=share) for share in (0.0, 0.25, 0.375, 0.5, 0.75, 1.0)]
    assert found == pytest.approx([0.2, 0.2, 0.4, 0.6, 1.0, 1.0])


def test_steps_count_in_place_of_shares():
    ramp = LinearRamp(after=100, over=400)
    found = [weight(ramp, step=step, share=0.9) for step in (0, 100, 200, 500, 5000)]
    assert found == pytest.approx([0.0, 0.0, 0.25, 1.0, 1.0])


def test_cosine_and_exponential_ramps_have_their_closed_forms():
    for share in (0.0, 0.1, 0.5, 0.9, 1.0):
        assert weight(CosineRamp(final=2.0), share=share) == pytest.approx(1 - math.cos(math.pi * share))
        assert weight(ExponentialRamp(start=0.01, final=10.0), share=share) == pytest.approx(
            10 ** (-2 + 3 * share)
        )


def test_a_sigmoid_ramp_is_a_logistic_curve_stretched_to_its_ends():
    steepness = 8.0
    curve = [1 / (1 + math.exp(-steepness * (x - 0.5))) for x in (0.0, 0.3, 0.5, 1.0)]
    expected = [(y - curve[0]) / (curve[-1] - curve[0]) for y in curve]
    found = [weight(SigmoidRamp(steepness=steepness), share=x) for x in (0.0, 0.3, 0.5, 1.0)]
    assert found == pytest.approx(expected, abs=1e-12)


def test_a_delayed_weight_is_switched_at_a_share_or_a_step():
    assert [weight(DelayedRamp(begin=0.3), share=share) for share in (0.0, 0.29, 0.3, 1.0)] == [0, 0, 1, 1]
    assert [weight(DelayedRamp(after=20), step=step) for step in (0, 19, 20, 500)] == [0, 0, 1, 1]


def test_weights_follow_each_other_from_point_to_point():
    by_share = StepsRamp(weights=(0.1, 0.5, 2.0), at=(0.25, 0.5))
    assert [weight(by_share, share=share) for share in (0.0, 0.25, 0.49, 0.5, 1.0)] == [0.1, 0.5, 0.5, 2, 2]
    by_step = StepsRamp(weights=(0.1, 2.0), steps=(30,))
    assert [weight(by_step, step=step) for step in (0, 29, 30)] == [0.1, 0.1, 2.0]
    assert built(by_share).final == 2.0


def test_a_cyclical_weight_rises_and_is_held_in_each_cycle():
    ramp = CyclicalRamp(cycles=2, rising=0.5)
    found = [weight(ramp, share=share) for share in (0.0, 0.125, 0.25, 0.4, 0.5, 0.625, 0.9, 1.0)]
    assert found == pytest.approx([0.0, 0.5, 1.0, 1.0, 0.0, 0.5, 1.0, 1.0])


@given(st.sampled_from(MOVING), weights, weights, st.tuples(shares, shares), shares, st.integers(0, 9999))
def test_a_moving_weight_stays_between_its_ends_and_arrives(kind, start, final, stretch, share, step):
    begin, end = sorted(stretch)
    if end <= begin or begin >= 1:
        return
    ramp = built(kind(start=start, final=final, begin=begin, end=end))
    low, high = sorted((start, final))
    assert low * (1 - 1e-9) <= ramp.weight(step, share) <= high * (1 + 1e-9)
    assert ramp.weight(step, end) == ramp.weight(step, 1.0) == ramp.final == final
    assert ramp.weight(step, begin) == pytest.approx(start)


@given(st.sampled_from(MOVING[:4]), weights, weights, shares, shares)
def test_a_weight_moves_one_way(kind, start, final, first, second):
    ramp = built(kind(start=start, final=final))
    early, late = (ramp.weight(0, share) for share in sorted((first, second)))
    assert (late - early) * (final - start) >= -1e-9 * start * final


@pytest.mark.parametrize(
    ("ramp", "option"),
    [
        (LinearRamp(after=10), "after"),
        (LinearRamp(begin=0.5, end=0.4), "end"),
        (LinearRamp(over=10, end=0.5), "end"),
        (LinearRamp(over=10, begin=0.5), "begin"),
        (StepsRamp(weights=(1.0, 2.0, 3.0)), "weights"),
        (StepsRamp(weights=(1.0, 2.0, 3.0), at=(0.5, 0.5)), "at"),
        (StepsRamp(weights=(1.0, 2.0, 3.0), steps=(9, 4)), "steps"),
    ],
)
def test_options_that_do_not_fit_are_named(ramp, option):
    assert [name for name, _ in ramp.problems()] == [option]
    with pytest.raises(ValueError, match=option):
        built(ramp)
