"""What --grid and --param say becomes values and ranges."""

from __future__ import annotations

import click
import pytest
from hypothesis import given
from hypothesis import strategies as st

from fxkit.sweeping.axes import Choices, Range, axis_of, read_axes, short_paths, split_values, written


def test_values_are_split_at_commas_outside_of_quotes_and_brackets() -> None:
    text = "[1, 2],{ a = 1, b = [3, 4] },\"x,y\",'p,q',7"
    assert list(split_values(text)) == ["[1, 2]", "{ a = 1, b = [3, 4] }", '"x,y"', "'p,q'", "7"]


@given(st.lists(st.text(alphabet="abc019.-_e", min_size=1), min_size=1))
def test_plain_values_come_back(values: list[str]) -> None:
    assert list(split_values(",".join(values))) == values


@pytest.mark.parametrize(
    ("text", "axis"),
    [
        ("a.b=8..64", Range("a.b", 8, 64, whole=True)),
        ("a.b=8..64:step=8", Range("a.b", 8, 64, whole=True, step=8)),
        ("a.b=8..64:log", Range("a.b", 8, 64, whole=True, log=True)),
        ("a.b=1e-4..1e-2:log", Range("a.b", 1e-4, 1e-2, whole=False, log=True)),
        ("a.b=-1.5..2", Range("a.b", -1.5, 2, whole=False)),
        ("a.b=0..1:step=0.25", Range("a.b", 0, 1, whole=False, step=0.25)),
        ("a.b=lstm,gru", Choices("a.b", ("lstm", "gru"))),
        ("a.b=../one,../two", Choices("a.b", ("../one", "../two"))),
    ],
)
def test_ranges_and_lists_are_told_apart(text: str, axis: Range | Choices) -> None:
    assert read_axes((), (text,)) == (axis,)
    assert axis_of(axis.document()) == axis


@pytest.mark.parametrize(
    "text", ["a", "a=", "=1,2", "a=1,,2", "a=1,1", "a=2..1", "a=0..1:log", "a=1..2:half", "a=1..2:step=0"]
)
def test_what_says_nothing_is_refused(text: str) -> None:
    with pytest.raises(click.UsageError):
        read_axes((), (text,))


def test_drawn_numbers_are_written_as_toml() -> None:
    assert Range("a", 1, 9, whole=True).text(4.0) == "4"
    assert float(Range("a", 1e-9, 1, whole=False).text(1e-7)) == 1e-7


def test_paths_are_as_short_as_they_stay_clear() -> None:
    assert short_paths(["nodes.amp.hidden", "nodes.pre.hidden", "train.lr"]) == {
        "nodes.amp.hidden": "amp.hidden",
        "nodes.pre.hidden": "pre.hidden",
        "train.lr": "lr",
    }
    assert written({"train.lr": "1e-3", "run.seed": "2"}) == "lr=1e-3  seed=2"
