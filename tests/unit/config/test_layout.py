"""Every value of a TOML document is found with its first and last character."""

from __future__ import annotations

import itertools
import pathlib
import site
from typing import Any

import pytest
import tomli

from fxkit.config.layout import layout
from fxkit.experiment.positions import KeyPath

ROOT = pathlib.Path(__file__).parents[3]
OWN = [path for folder in ("configs", "tests", "docs") for path in sorted((ROOT / folder).rglob("*.toml"))]
OTHERS = [path for folder in site.getsitepackages() for path in sorted(pathlib.Path(folder).rglob("*.toml"))]


def valid(path: pathlib.Path) -> str:
    """Return a file's text, nothing when it is not TOML."""
    try:
        text = path.read_bytes().decode("utf-8").replace("\r\n", "\n")
        tomli.loads(text)
    except (UnicodeDecodeError, tomli.TOMLDecodeError):
        return ""
    return text


def at(data: Any, path: KeyPath) -> Any:
    for part in path:
        data = data[part]
    return data


@pytest.mark.parametrize("group", range(4))
def test_the_text_of_each_span_is_its_value(group: int) -> None:
    count = 0
    for path in itertools.islice([*OWN, ROOT / "pyproject.toml", *OTHERS], group, None, 4):
        text = valid(path)
        data = tomli.loads(text)
        found = layout(text)
        for place, (start, end) in found.spans.items():
            # As text, as NaN equals nothing.
            value = tomli.loads(f"x = {text[start:end]}")["x"]
            assert repr(value) == repr(at(data, place)), (path, place)
            count += 1
    assert count > 50


def test_tables_are_known_by_how_they_are_written() -> None:
    text = (
        "a.b.c = 1 # 1\n[d] # two\n\ne = { f = {}, g.h = 2 }\n[[i]]\n[[i]]\nj = [\n {k = 3}, # three\n] # 4\n"
    )
    found = layout(text)
    assert found.dotted == {("a",): (), ("a", "b"): (), ("d", "e", "g"): ("d", "e")}
    assert sorted(found.headers, key=str) == [("d",), ("i", 0), ("i", 1)]
    assert [found.is_inline(path) for path in (("d",), ("d", "e"), ("d", "e", "f"), ("i", 1, "j", 0))] == [
        False,
        True,
        True,
        True,
    ]
    assert found.is_empty(("d", "e", "f"))
    assert not found.is_empty(("d", "e"))
    assert text[: found.ends[()]] == "a.b.c = 1"
    assert text[: found.ends[("d",)]].endswith("g.h = 2 }")
    assert text[: found.ends[("d", "e")]].endswith("g.h = 2")
    assert text[: found.ends[("i", 0)]].endswith("[[i]]")
    assert text[: found.ends[("i", 1)]].endswith("# three\n]")
    assert found.region(("d",)) == " # two\n\ne = { f = {}, g.h = 2 }\n"
