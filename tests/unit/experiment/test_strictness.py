"""No value stands for one of another type."""

from __future__ import annotations

import pathlib
from collections.abc import Mapping
from typing import Any, Literal

import attrs
import pytest
from hypothesis import given
from hypothesis import strategies as st

from fxkit.experiment.report import Report
from fxkit.experiment.strict import unsupported
from fxkit.experiment.structure import Structure
from fxkit.experiment.tree import Bare, Source, plant
from fxkit.spec import opt

FOLDER = pathlib.Path("/somewhere")


@attrs.frozen(kw_only=True)
class Inner:
    """A table in a table."""

    size: int = opt(1, help="size")


TYPES: dict[str, Any] = {
    "int": int,
    "float": float,
    "bool": bool,
    "text": str,
    "path": pathlib.Path,
    "choice": Literal["a", "b"],
    "number": Literal[1, 2],
    "ints": tuple[int, ...],
    "pair": tuple[float, str],
    "nested": tuple[tuple[int, ...], ...],
    "optional": int | None,
    "mapping": Mapping[str, float],
    "table": Inner,
}


def read(name: str, value: Any) -> tuple[Any, Report]:
    """Read one value as the option type called `name`; NOTHING when it was rejected."""
    spec = attrs.make_class("Spec", {"value": opt(help="a value")}, frozen=True, kw_only=True)
    spec.__annotations__ = {"value": TYPES[name]}
    report = Report()
    tree = plant({"value": value}, Source(file="x.toml", folder=FOLDER), {})
    made = Structure(report).table(tree, spec)
    return (attrs.NOTHING if made is None else made.value), report


RIGHT = [
    ("int", 3, 3),
    ("float", 2.5, 2.5),
    ("float", 3, 3.0),
    ("bool", False, False),
    ("text", "20", "20"),
    ("text", "", ""),
    ("text", Bare("plain words"), "plain words"),
    ("path", "a/b.wav", FOLDER / "a/b.wav"),
    ("path", "/abs", pathlib.Path("/abs")),
    ("choice", "b", "b"),
    ("choice", Bare("b"), "b"),
    ("number", 2, 2),
    ("ints", [1, 2], (1, 2)),
    ("ints", [], ()),
    ("pair", [1, "x"], (1.0, "x")),
    ("nested", [[1], []], ((1,), ())),
    ("optional", 5, 5),
    ("mapping", {"a": 1, "b.c": 2.5}, {"a": 1.0, "b.c": 2.5}),
    ("table", {"size": 4}, Inner(size=4)),
    ("table", {}, Inner(size=1)),
]

WRONG: dict[str, list[Any]] = {
    "int": ["20", 20.7, 20.0, True, [1], {"a": 1}, float("nan"), Bare("x")],
    "float": ["1.5", True, float("nan"), float("inf"), float("-inf"), [1.0], {}, Bare("1,5")],
    "bool": ["false", "true", 0, 1, 0.0, [], {}, Bare("True"), Bare("yes")],
    "text": [5, 1.5, True, ["x"], {"x": "y"}],
    "path": [5, True, ["x"], {}],
    "choice": ["c", "A", 1, True, ["a"], {}],
    "number": [3, "1", True, 1.0],
    "ints": [1, "123", [1, "2"], [True], [1.0], [[1]], {"0": 1}, Bare("1,2")],
    "pair": [[1], [1, "x", 2], ["1", "x"], [1, 2], "ab"],
    "nested": [[1], [["1"]], [[1.5]]],
    "optional": ["5", 5.5, True, []],
    "mapping": [[1.0], {"a": "1"}, {"a": True}, {"a": {"b": 1.0}}, "a=1"],
    "table": [5, [], {"size": "4"}, {"sise": 4}, {"size": 4.0}],
}


@pytest.mark.parametrize(("name", "value", "expected"), RIGHT)
def test_a_right_value_is_taken_as_it_is(name: str, value: Any, expected: Any) -> None:
    found, report = read(name, value)
    assert report.problems == []
    assert found == expected
    assert type(found) is type(expected)


@pytest.mark.parametrize(
    ("name", "value"), [(name, value) for name, values in WRONG.items() for value in values]
)
def test_a_wrong_value_is_rejected(name: str, value: Any) -> None:
    found, report = read(name, value)
    assert len(report.problems) == 1
    assert found is attrs.NOTHING or name == "table"
    assert str(report.problems[0]).startswith("x.toml  value")


@given(
    st.recursive(
        st.none() | st.booleans() | st.integers() | st.floats() | st.text() | st.dates(),
        lambda inner: st.lists(inner, max_size=3) | st.dictionaries(st.text(), inner, max_size=3),
        max_leaves=6,
    ),
    st.sampled_from(sorted(TYPES)),
)
def test_any_value_is_taken_or_rejected_and_never_raises(value: Any, name: str) -> None:
    found, report = read(name, value)
    assert (found is attrs.NOTHING) <= bool(report.problems)


@pytest.mark.parametrize("hint", TYPES.values())
def test_the_types_of_options_are_a_closed_set(hint: Any) -> None:
    assert unsupported(hint) is None


@pytest.mark.parametrize(
    "hint",
    [Any, dict, list[int], int | str, dict[str, int], set[int], bytes, tuple[bytes, ...], Mapping[int, str]],
)
def test_other_types_are_no_options(hint: Any) -> None:
    assert unsupported(hint) is not None
