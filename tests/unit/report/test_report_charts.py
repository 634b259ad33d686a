"""Charts show what they are given: every extreme, every gap, every name as text."""

from __future__ import annotations

import math
import re
from itertools import pairwise

import numpy as np
import pytest
from hypothesis import given
from hypothesis import strategies as st

from fxkit.report.axis import Axis, fitted, short
from fxkit.report.chart import Chart, Line, thinned


def chart(*lines, **options):
    return Chart(title="t", x_label="x", y_label="y", lines=lines, **options)


def paths(svg, kind):
    return re.findall(rf'<path class="{kind} c\d" d="([^"]*)"', svg)


@given(low=st.floats(-1e6, 1e6), span=st.floats(1e-3, 1e6), log=st.booleans())
def test_ticks_are_round_few_and_inside(low, span, log):
    low = abs(low) + 1e-3 if log else low
    axis = Axis(low=low, high=low + span, start=0, stop=100, log=log)
    ticks = axis.ticks()
    assert len(ticks) <= 14
    assert ticks == sorted(ticks)
    for tick in ticks:
        assert axis.low - 1e-6 * span <= tick <= axis.high + 1e-6 * span
    steps = {f"{abs(b - a):.0e}"[0] for a, b in pairwise(ticks)} if not log else set()
    assert steps <= {"1", "2", "5"}


def test_even_axis_places_by_proportion_and_log_axis_by_ratio():
    even = Axis(low=0, high=10, start=50, stop=150)
    ratio = Axis(low=20, high=20000, start=0, stop=300, log=True)
    assert even.place(2.5) == 75
    assert math.isclose(ratio.place(200), 100)
    assert math.isclose(ratio.place(2000), 200)
    assert even.place(99) == 150


def test_axis_of_nothing_or_of_one_value_has_a_width():
    for values in ([], [3.0], [0.0, 0.0], [math.nan, math.inf]):
        for log in (False, True):
            axis = fitted(values, start=0, stop=100, log=log)
            assert axis.high > axis.low
            assert math.isfinite(axis.place(1.0))
            assert fitted(values, start=0, stop=100, log=log, margin=0.0).ticks()


@pytest.mark.parametrize(
    ("value", "text"),
    [(20000, "20k"), (1500, "1.5k"), (0.25, "0.25"), (0.00002, "2e-5"), (-0.5, "-0.5"), (0, "0")],
)
def test_tick_labels_are_short(value, text):
    assert short(value) == text


def test_thinning_keeps_the_extremes_of_a_long_line():
    values = np.random.default_rng(0).normal(size=50_000)
    values[12_345], values[40_000] = 99, -99
    points = thinned(range(50_000), values.tolist())
    assert len(points) <= 650
    assert (12_345, 99) in points
    assert (40_000, -99) in points
    assert [x for x, _ in points] == sorted(x for x, _ in points)


def test_a_value_that_is_no_number_parts_the_line():
    svg = chart(Line(name="a", x=[0, 1, 2, 3], y=[1, math.nan, 2, 3])).svg()
    (drawn,) = paths(svg, "line")
    assert drawn.count("M") == 2
    assert "nan" not in svg


def test_values_below_the_floor_are_held_there():
    held = chart(Line(name="a", x=[0, 1, 2], y=[-500.0, 0.0, -10.0]), y_floor=-60.0).svg()
    labels = [float(text) for text in re.findall(r">(-?\d+)</text>", held)]
    assert min(labels) >= -64


def test_zero_on_a_logarithmic_axis_is_a_gap():
    svg = chart(Line(name="a", x=[1, 2, 3, 4], y=[1, 0, 10, 100]), log_y=True).svg()
    assert paths(svg, "line")[0].count("M") == 2


def test_names_are_text_in_the_picture():
    hostile = '"><script>alert(1)</script>'
    svg = Chart(
        title=hostile, x_label=hostile, y_label=hostile, marks=((1.0, hostile),),
        lines=(Line(name=hostile, x=[0, 1], y=[0, 1]),),
    ).svg()  # fmt: skip
    assert "<script" not in svg
    assert "&lt;script&gt;" in svg


def test_summary_says_where_each_line_begins_and_ends():
    assert "a from 2 to 8." in chart(Line(name="a", x=[0, 1, 2], y=[2, 5, 8])).summary
    assert "b: no values." in chart(Line(name="b", x=[0], y=[math.nan])).summary
