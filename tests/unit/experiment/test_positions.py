"""Every key and value of a TOML document has a line and a column."""

from __future__ import annotations

import pathlib
import sysconfig
from typing import Any

import pytest
import tomli
import tomli_w
from hypothesis import given, settings
from hypothesis import strategies as st

from fxkit.experiment.positions import KeyPath, Spot, dotted, first_repeat, positions

REPOSITORY = pathlib.Path(__file__).parents[3]


def paths(value: Any, path: KeyPath = ()) -> set[KeyPath]:
    """Return the path of a value and of everything in it."""
    entries = (
        value.items() if isinstance(value, dict) else enumerate(value) if isinstance(value, list) else ()
    )
    return {path}.union(*(paths(item, (*path, key)) for key, item in entries))


def text_at(text: str, spot: Spot) -> str:
    """Return what stands at a spot, to the end of the document."""
    lines = text.replace("\r\n", "\n").split("\n")[spot.line - 1 :]
    return "\n".join(lines)[spot.column - 1 :]


def test_every_path_of_every_toml_file_around_has_a_position() -> None:
    site = pathlib.Path(sysconfig.get_path("purelib"))
    count = 0
    for file in [*REPOSITORY.rglob("*.toml"), *site.rglob("*.toml")]:
        try:
            text = file.read_text(encoding="utf-8")
            data = tomli.loads(text)
        except (tomli.TOMLDecodeError, UnicodeDecodeError):
            continue
        found = positions(text)
        assert set(found) == paths(data), file
        count += len(found)
    assert count > 500


names = st.text(st.characters(exclude_categories=["Cs"]), max_size=6)
scalars = (
    st.integers(-(2**63), 2**63 - 1)
    | st.floats(allow_nan=False)
    | st.booleans()
    | st.text(st.characters(exclude_categories=["Cs"]), max_size=20)
    | st.dates()
    | st.times()
    | st.datetimes()
)
values = st.recursive(
    scalars,
    lambda inner: st.lists(inner, max_size=4) | st.dictionaries(names, inner, max_size=4),
    max_leaves=12,
)
documents = st.dictionaries(names, values, max_size=6)


@given(documents, st.booleans())
@settings(max_examples=150, deadline=None)
def test_every_path_of_any_document_has_a_position(document: dict[str, Any], multiline: bool) -> None:
    text = tomli_w.dumps(document, multiline_strings=multiline)
    assert set(positions(text)) == paths(tomli.loads(text))


@given(documents)
@settings(max_examples=80, deadline=None)
def test_a_position_is_where_the_value_parses_from(document: dict[str, Any]) -> None:
    text = tomli_w.dumps(document)
    data = tomli.loads(text)
    for path, position in positions(text).items():
        value: Any = data
        for part in path:
            value = value[part]
        if not isinstance(value, (dict, list)):
            line = text_at(text, position.value).split("\n", 1)[0]
            assert any(_parses_to(line[:end], value) for end in range(1, len(line) + 1))


def _parses_to(text: str, value: Any) -> bool:
    try:
        return bool(tomli.loads(f"x = {text}") == {"x": value})
    except tomli.TOMLDecodeError:
        return False


DOCUMENT = """\
# a comment = 1
top = 1
"quoted key" . 'and dotted' = "x"
[run]
  name = '''
several
lines'''  # [not.a.table]
when = 1979-05-27 07:32:00
list = [ 1, # one
  "two", ["]", { a.b = 3 }],
]
[[takes]]
id = 1
[takes.mic]
kind = "x"
[[takes]]
inline = {x = 1, y = {z = "}"}}
"""


@pytest.mark.parametrize(
    ("path", "key", "value"),
    [
        (("top",), (2, 1), (2, 7)),
        (("quoted key",), (3, 1), (3, 1)),
        (("quoted key", "and dotted"), (3, 16), (3, 31)),
        (("run",), (4, 2), (4, 2)),
        (("run", "name"), (5, 3), (5, 10)),
        (("run", "when"), (8, 1), (8, 8)),
        (("run", "list", 0), (9, 10), (9, 10)),
        (("run", "list", 2, 0), (10, 11), (10, 11)),
        (("run", "list", 2, 1, "a", "b"), (10, 20), (10, 24)),
        (("takes",), (12, 3), (12, 3)),
        (("takes", 0, "mic"), (14, 8), (14, 2)),
        (("takes", 1), (16, 3), (16, 3)),
        (("takes", 1, "inline", "y", "z"), (17, 23), (17, 27)),
    ],
)
def test_positions_are_exact(path: KeyPath, key: tuple[int, int], value: tuple[int, int]) -> None:
    found = positions(DOCUMENT)[path]
    assert ((found.key.line, found.key.column), (found.value.line, found.value.column)) == (key, value)


def test_columns_count_characters_and_lines_may_end_in_crlf() -> None:
    found = positions('a = "ü€😀"\r\nb = { c = "😀", d = 1 }\r\n')
    assert found[("b", "d")].key == Spot(2, 16)


@pytest.mark.parametrize(
    ("text", "path", "first", "again"),
    [
        ("a = 1\na = 2", ("a",), (1, 1), (2, 1)),
        ("[t]\na = 1\n[u]\n[t]\n", ("t",), (1, 2), (4, 2)),
        ("[[t]]\n[t]\n", ("t",), (1, 3), (2, 2)),
        ("t = {a = 1}\n[t]\n", ("t",), (1, 1), (2, 2)),
        ("t = {a = 1, a = 2}\n", ("t", "a"), (1, 6), (1, 13)),
        ("[a.b]\n[a]\nb = 1\n", ("a", "b"), (1, 4), (3, 1)),
    ],
)
def test_what_is_given_twice_is_found(
    text: str, path: KeyPath, first: tuple[int, int], again: tuple[int, int]
) -> None:
    with pytest.raises(tomli.TOMLDecodeError):
        tomli.loads(text)
    repeat = first_repeat(text)
    assert repeat is not None
    assert (repeat.path, repeat.first, repeat.again) == (path, Spot(*first), Spot(*again))


@given(documents)
@settings(max_examples=100, deadline=None)
def test_a_valid_document_gives_nothing_twice(document: dict[str, Any]) -> None:
    assert first_repeat(tomli_w.dumps(document)) is None


@given(st.lists(names, min_size=1, max_size=4))
def test_a_dotted_path_is_a_toml_key(path: list[str]) -> None:
    expected: Any = 0
    for name in reversed(path):
        expected = {name: expected}
    assert tomli.loads(f"{dotted(tuple(path))} = 0") == expected
