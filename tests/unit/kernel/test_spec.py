"""Specs: options declared once, checked however they are set, described for people."""

from __future__ import annotations

import pathlib
from typing import Literal

import attrs
import pytest

from fxkit.spec import describe, opt


@attrs.frozen(kw_only=True)
class Sample:
    """Say what it is.

    And more.
    """

    bands: int = opt(help="number of bands", ge=1, le=16)
    gain: float = opt(0.0, help="gain", unit="dB", gt=-60, lt=60)
    mode: Literal["a", "b"] = opt("a", help="mode", choices=("a", "b"))
    sizes: tuple[int, ...] = opt((1, 2), help="sizes", ge=1)
    root: pathlib.Path | None = opt(None, help="folder")
    names: dict[str, str] = opt(factory=dict, help="names")


def test_a_description_holds_everything_in_order():
    described = describe(Sample)
    assert described.summary == "Say what it is."
    assert [option.name for option in described.options] == [
        "bands",
        "gain",
        "mode",
        "sizes",
        "root",
        "names",
    ]
    assert [option.required for option in described.options] == [True, False, False, False, False, False]
    assert described.option("gain").meta.unit == "dB"
    assert described.option("nothing") is None
    texts = [option.type_text for option in described.options[:5]]
    assert texts == ["int", "float", "'a' | 'b'", "list of int", "path"]


@pytest.mark.parametrize(
    ("values", "words"),
    [
        ({"bands": 0}, "0 is below the minimum 1"),
        ({"bands": 17}, "17 is above the maximum 16"),
        ({"bands": 1, "gain": -60.0}, "-60.0 dB must be greater than -60 dB"),
        ({"bands": 1, "gain": 60.0}, "60.0 dB must be less than 60 dB"),
        ({"bands": 1, "gain": float("nan")}, "must be finite"),
        ({"bands": 1, "gain": float("inf")}, "must be finite"),
        ({"bands": 1, "mode": "c"}, "'c' is not one of 'a', 'b'"),
        ({"bands": 1, "sizes": (4, 0)}, "0 is below the minimum 1"),
    ],
)
def test_limits_hold_however_a_spec_is_made(values, words):
    with pytest.raises(ValueError, match="Sample.*" + words):
        Sample(**values)


def test_a_field_that_was_not_declared_is_refused():
    @attrs.frozen
    class Bare:
        x: int = 3

    with pytest.raises(TypeError, match=r"Bare\.x is not declared with opt"):
        describe(Bare)


def test_a_class_that_is_no_spec_is_refused():
    with pytest.raises(TypeError, match="not an attrs class"):
        describe(dict)
