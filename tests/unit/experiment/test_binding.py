"""What a parameter's table makes of a parameter."""

from __future__ import annotations

import pathlib

import pytest
from hypothesis import given
from hypothesis import strategies as st

from fxkit.catalog import Catalog
from fxkit.errors import ExperimentError
from fxkit.experiment.binding import Bound, bind, key_problems, roots
from fxkit.experiment.reader import read_experiment
from fxkit.experiment.resolved import dump_toml
from fxkit.experiment.tables import ParameterKeys
from fxkit.parameter import Parameter

FILE = """
fxkit = 1
data.type = "virtual-device"
losses.esr.type = "esr"
train.optimizer.type = "adamw"
controllers.moving.type = "lstm-control"
model.chain = ["a", "b"]

[nodes.a]
type = "filter"
controller = { type = "static" }
parameters.frequency = { low = 30, high = 300.5, start = 100 }
parameters.gains.fixed = [1, 2.5, -3]
parameters.mix.controller = "moving"

[nodes.b]
type = "filter"
parameters.frequency.fixed = 440
parameters.gains.tie = "a.gains"
parameters.mix.tie = "a.mix"
parameters.release.tie = "a.release"
"""


def test_the_tables_survive_being_written_out(tmp_path: pathlib.Path, catalog: Catalog) -> None:
    (tmp_path / "a.toml").write_text(FILE, encoding="utf-8")
    first = read_experiment(tmp_path / "a.toml", catalog=catalog)
    (tmp_path / "b.toml").write_text(dump_toml(first.resolved), encoding="utf-8")
    again = read_experiment(tmp_path / "b.toml", catalog=catalog)
    assert again == first
    assert again.nodes["a"].keys.parameters["gains"] == ParameterKeys(fixed=(1.0, 2.5, -3.0))
    assert again.nodes["b"].keys.parameters["frequency"] == ParameterKeys(fixed=440.0)
    assert first.resolved["nodes"]["a"]["parameters"]["frequency"] == {
        "start": 100.0,
        "low": 30.0,
        "high": 300.5,
    }


def test_a_table_may_be_changed_from_the_command_line(tmp_path: pathlib.Path, catalog: Catalog) -> None:
    (tmp_path / "a.toml").write_text(FILE, encoding="utf-8")
    changes = ("nodes.a.parameters.frequency.start=200", "nodes.b.parameters.release={ fixed = 9 }")
    nodes = read_experiment(tmp_path / "a.toml", overrides=changes[:1], catalog=catalog).nodes
    assert nodes["a"].keys.parameters["frequency"].start == 200.0
    with pytest.raises(ExperimentError, match=r"release\.tie: has no effect, as it has a fixed value"):
        read_experiment(tmp_path / "a.toml", overrides=changes, catalog=catalog)


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
