"""What a parameter's table makes of a parameter."""

from __future__ import annotations

from hypothesis import given
from hypothesis import strategies as st

from fxkit.experiment.binding import Bound, bind, key_problems, roots
from fxkit.experiment.tables import ParameterKeys
from fxkit.parameter import Parameter

MAPPINGS = st.sampled_from(["linear", "log", "exp-sigmoid"])
NUMBERS = st.floats(-10, 200, allow_nan=False).map(lambda value: round(value, 3))
VALUES = st.one_of(st.none(), NUMBERS, st.lists(NUMBERS, min_size=1, max_size=3).map(tuple))


def parameter(mapping="log", size=2) -> Parameter:
    return Parameter(name="x", low=1.0, high=100.0, default=10.0, unit="ms", mapping=mapping, size=size)


@given(MAPPINGS, st.integers(1, 3), VALUES, st.none() | NUMBERS, st.none() | NUMBERS)
def test_a_table_is_either_wrong_or_leaves_a_parameter_inside_the_declared_one(
    mapping, size, start, low, high
):
    declared, keys = parameter(mapping, size), ParameterKeys(start=start, low=low, high=high)
    if list(key_problems(declared, keys)):
        return
    bound = bind(declared, keys)
    one = bound.parameter
    assert bound.driven
    assert 1.0 <= one.low < one.high <= 100.0
    assert len(one.defaults) == size
    assert all(one.low <= value <= one.high for value in one.defaults)
    assert (one.low, one.high) == (1.0 if low is None else low, 100.0 if high is None else high)
    assert (one.name, one.unit, one.mapping, one.size) == ("x", "ms", mapping, size)


@given(st.integers(1, 3), VALUES.filter(lambda value: value is not None))
def test_a_fixed_value_is_wrong_exactly_when_it_does_not_fit(size, fixed):
    declared, keys = parameter(size=size), ParameterKeys(fixed=fixed)
    values = fixed if isinstance(fixed, tuple) else (fixed,) * size
    fits = len(values) == size and all(1.0 <= value <= 100.0 for value in values)
    assert fits == (not list(key_problems(declared, keys)))
    if fits:
        assert (bind(declared, keys).fixed, bind(declared, keys).driven) == (values, False)


@given(st.lists(st.integers(0, 5), min_size=6, max_size=6))
def test_every_tie_leads_to_an_end_or_is_in_a_circle(targets):
    # Parameter n is tied to parameter targets[n]; 5 is driven.
    bounds = {
        str(n): Bound(parameter=parameter(), tie="" if n == 5 else str(t)) for n, t in enumerate(targets)
    }
    for name, end in roots(bounds).items():
        way = [int(name)]
        while way[-1] != 5 and len(way) < 8:
            way.append(targets[way[-1]])
        assert end == ("5" if way[-1] == 5 else "")
