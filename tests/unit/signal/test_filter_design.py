"""Designs of whole filters against closed forms of their analogue responses."""

import cmath
import math
from itertools import pairwise

import pytest
import torch
from hypothesis import given, settings
from hypothesis import strategies as st

from fxkit_signal.filter_design import (
    first_order_all_pass,
    first_order_high_pass,
    first_order_low_pass,
    graphic_equalizer,
    high_pass_cascade,
    low_pass_cascade,
    tilt,
)

RATE = 48000.0
corners = st.floats(20.0, 21000.0)
OCTAVES = tuple(1000.0 * 2.0**step for step in range(-5, 5))
THIRDS = tuple(1000.0 * 2.0 ** (step / 3) for step in range(-17, 14))


def response(sections, hertz, rate=RATE):
    """Evaluate a cascade [sections, 6] on the unit circle, number by number."""
    z = cmath.exp(-2j * math.pi * hertz / rate)
    product = 1.0 + 0.0j
    for b0, b1, b2, a0, a1, a2 in sections.tolist():
        assert a0 == 1.0
        product *= (b0 + b1 * z + b2 * z * z) / (1 + a1 * z + a2 * z * z)
    return product


def warped(hertz, corner):
    """Return the analogue frequency over the corner that the bilinear transform puts at `hertz`."""
    return math.tan(math.pi * hertz / RATE) / math.tan(math.pi * corner / RATE)


def number(value):
    return torch.tensor(value, dtype=torch.float64)


@given(corners, corners)
def test_first_order_filters_are_the_analogue_ones(corner, hertz):
    s = 1j * warped(hertz, corner)
    for design, expected in (
        (first_order_low_pass, 1 / (1 + s)),
        (first_order_high_pass, s / (1 + s)),
        (first_order_all_pass, (1 - s) / (1 + s)),
    ):
        found = response(design(number([corner]), RATE), hertz)
        assert abs(found - expected) < 1e-9


@given(st.integers(2, 16), corners, corners)
def test_a_plain_cascade_is_butterworths(order, corner, hertz):
    """|H|^2 = 1 / (1 + w^2n) and 1 / (1 + w^-2n)."""
    ratio = warped(hertz, corner)
    for design, power in ((low_pass_cascade, ratio), (high_pass_cascade, 1 / ratio)):
        found = abs(response(design(number(corner), number(2**-0.5), RATE, order=order), hertz)) ** 2
        assert found == pytest.approx(1 / (1 + power ** (2 * order)), rel=1e-6, abs=1e-18)


@given(st.integers(2, 16), corners, st.floats(0.1, 20.0))
def test_q_is_the_level_at_the_corner_whatever_the_order(order, corner, q):
    for design in (low_pass_cascade, high_pass_cascade):
        sections = design(number(corner), number(q), RATE, order=order)
        assert sections.shape == ((order + 1) // 2, 6)
        assert abs(response(sections, corner)) == pytest.approx(q, rel=1e-6)


@given(corners, st.floats(-40.0, 40.0), corners)
def test_a_tilt_turns_about_its_pivot(pivot, gain_db, hertz):
    g, s = 10 ** (gain_db / 20), 1j * warped(hertz, pivot)
    sections = tilt(number([pivot]), number(gain_db), RATE)
    assert abs(response(sections, hertz)) == pytest.approx(abs((g * s + 1) / (s + g)), rel=1e-8)
    assert abs(response(sections, pivot)) == pytest.approx(1.0, rel=1e-9)
    assert abs(response(sections, 0.0)) == pytest.approx(1 / g, rel=1e-6)
    assert abs(response(sections, RATE / 2)) == pytest.approx(g, rel=1e-6)


def levels(sections, centres):
    return torch.tensor([20 * math.log10(abs(response(sections, hertz))) for hertz in centres])


@settings(deadline=None, max_examples=30)
@given(st.sampled_from([OCTAVES, THIRDS]), st.data())
def test_a_graphic_equaliser_meets_its_sliders(centres, data):
    asked = data.draw(st.lists(st.floats(-12, 12), min_size=len(centres), max_size=len(centres)))
    sections = graphic_equalizer(number(asked), RATE, centres=centres)
    assert (levels(sections, centres) - torch.tensor(asked)).abs().max() < 0.05


@pytest.mark.parametrize("centres", [OCTAVES, THIRDS])
@pytest.mark.parametrize("asked", [12.0, -12.0])
def test_sliders_side_by_side_make_a_plateau(centres, asked):
    sections = graphic_equalizer(torch.full((len(centres),), asked), RATE, centres=centres)
    between = [math.sqrt(low * high) for low, high in pairwise(centres)]
    assert (levels(sections, between) - asked).abs().max() < 1.0


@pytest.mark.parametrize("centres", [OCTAVES, THIRDS])
def test_sliders_in_zigzag_are_met(centres):
    asked = [12.0 * (-1) ** band for band in range(len(centres))]
    sections = graphic_equalizer(number(asked), RATE, centres=centres)
    assert (levels(sections, centres) - torch.tensor(asked)).abs().max() < 0.05


def test_flat_sliders_change_nothing():
    sections = graphic_equalizer(torch.zeros(10), RATE, centres=OCTAVES)
    assert torch.allclose(sections[:, :3], sections[:, 3:], atol=1e-15)


def test_sliders_have_gradients_and_items_of_their_own():
    asked = torch.randn(2, 3, 10, dtype=torch.float64, requires_grad=True)
    sections = graphic_equalizer(asked, RATE, centres=OCTAVES)
    assert sections.shape == (2, 3, 10, 6)
    alone = graphic_equalizer(asked[1, 2], RATE, centres=OCTAVES)
    assert torch.allclose(sections[1, 2], alone, atol=1e-12)
    assert torch.autograd.gradcheck(
        lambda levels: graphic_equalizer(levels, RATE, centres=OCTAVES[::3]),
        (3 * torch.randn(4, dtype=torch.float64, requires_grad=True),),
    )
