"""Locate every key and value of a TOML document by line and column.

TOML parsers yield values without their places. This tokenizer walks a document that already parsed
and notes where each key and each value begins; it never interprets a value.
"""

from __future__ import annotations

import bisect
import contextlib
import json
import re
from collections.abc import Callable, Mapping

import attrs
import tomli

KeyPath = tuple["str | int", ...]

_BLANK = re.compile(r"(?:[ \t\r\n]|#[^\n]*)*")
_SPACE = re.compile(r"[ \t]*")
_BARE_KEY = re.compile(r"[A-Za-z0-9_-]+")
_BASIC = re.compile(r'"(?:[^"\\]|\\.)*"')
_LITERAL = re.compile(r"'[^']*'")
_LONG_BASIC = re.compile(r'"""(?:[^\\]|\\.)*?"""(?:"{0,2})', re.DOTALL)
_LONG_LITERAL = re.compile(r"'''.*?'''(?:'{0,2})", re.DOTALL)
_SCALAR = re.compile(r"\d{4}-\d\d-\d\d \d\d:\d\d[^\s,\]}#]*|[^\s,\]}#]+")


@attrs.frozen
class Spot:
    """Hold a line and a column, both counted from 1, the column in characters."""

    line: int
    column: int


@attrs.frozen
class Position:
    """Hold where a key and where its value begins; the same spot for array elements.

    The value of a table that has a header of its own begins behind the header's opening bracket.
    """

    key: Spot
    value: Spot


@attrs.frozen
class Repeat:
    """Hold a key or table that is given twice, and where."""

    path: KeyPath
    first: Spot
    again: Spot


def positions(text: str) -> Mapping[KeyPath, Position]:
    """Map the path of every key, table and array element to its position.

    `text` must be a valid TOML document; for any other the result is unspecified, and an
    `UnlocatedError` is raised where the walk cannot go on.
    """
    walk = _Walk(text.replace("\r\n", "\n"))
    walk.document()
    return walk.found


def first_repeat(text: str) -> Repeat | None:
    """Return the first key or table that a document gives twice, or None."""
    walk = _Walk(text.replace("\r\n", "\n"))
    with contextlib.suppress(UnlocatedError):
        walk.document()
    return walk.repeats[0] if walk.repeats else None


class UnlocatedError(ValueError):
    """Report text that is not TOML."""


@attrs.define
class _Walk:
    text: str
    at: int = 0
    found: dict[KeyPath, Position] = attrs.field(factory=dict)
    repeats: list[Repeat] = attrs.field(factory=list)
    _given: set[KeyPath] = attrs.field(factory=set)
    _counts: dict[KeyPath, int] = attrs.field(factory=dict)
    _line_starts: list[int] = attrs.field(factory=list)

    def __attrs_post_init__(self) -> None:
        self._line_starts = [0, *(match.end() for match in re.finditer("\n", self.text))]
        self.found[()] = Position(Spot(1, 1), Spot(1, 1))

    def document(self) -> None:
        table: KeyPath = ()
        self.take(_BLANK)
        while self.at < len(self.text):
            if self.sees("["):
                table = self.header()
            else:
                self.pair(table)
            self.take(_BLANK)

    def header(self) -> KeyPath:
        width = 2 if self.sees("[[") else 1
        self.at += width
        inside = self.spot()
        self.take(_SPACE)
        keys = self.keys()
        self.expect("]" * width)
        parent = self.enter((), keys[:-1])
        name, spot = keys[-1]
        path = (*parent, name)
        self.found.setdefault(path, Position(spot, inside))
        if path in self._given or (width == 1 and path in self._counts):
            self.repeats.append(Repeat(path, self.found[path].key, spot))
        if width == 2:
            index = self._counts.get(path, 0)
            self._counts[path] = index + 1
            path = (*path, index)
        else:
            self._given.add(path)
        self.found[path] = Position(spot, inside)
        return path

    def pair(self, table: KeyPath) -> None:
        keys = self.keys()
        self.expect("=")
        self.take(_SPACE)
        parent = self.enter(table, keys[:-1])
        name, spot = keys[-1]
        path = (*parent, name)
        if path in self.found:
            self.repeats.append(Repeat(path, self.found[path].key, spot))
        self._given.add(path)
        self.found.setdefault(path, Position(spot, self.spot()))
        self.value(path)

    def enter(self, base: KeyPath, keys: list[tuple[str, Spot]]) -> KeyPath:
        path = base
        for name, spot in keys:
            path = (*path, name)
            self.found.setdefault(path, Position(spot, spot))
            if path in self._counts:
                path = (*path, self._counts[path] - 1)
        return path

    def keys(self) -> list[tuple[str, Spot]]:
        keys = [self.key()]
        while self.sees("."):
            self.at += 1
            self.take(_SPACE)
            keys.append(self.key())
        return keys

    def key(self) -> tuple[str, Spot]:
        spot = self.spot()
        if self.sees('"'):
            name = next(iter(tomli.loads(f"{self.need(_BASIC)} = 0")))
        elif self.sees("'"):
            name = self.need(_LITERAL)[1:-1]
        else:
            name = self.need(_BARE_KEY)
        self.take(_SPACE)
        return name, spot

    def value(self, path: KeyPath) -> None:
        for opening, read in _VALUES:
            if self.sees(opening):
                read(self, path)
                return
        self.need(_SCALAR)

    def array(self, path: KeyPath) -> None:
        self.expect("[")
        self.take(_BLANK)
        index = 0
        while not self.sees("]"):
            spot = self.spot()
            element = (*path, index)
            self.found[element] = Position(spot, spot)
            self.value(element)
            index += 1
            self.separator()
        self.expect("]")

    def inline_table(self, path: KeyPath) -> None:
        self.expect("{")
        self.take(_BLANK)
        while not self.sees("}"):
            self.pair(path)
            self.separator()
        self.expect("}")

    def separator(self) -> None:
        self.take(_BLANK)
        if self.sees(","):
            self.at += 1
            self.take(_BLANK)

    def sees(self, token: str) -> bool:
        return self.text.startswith(token, self.at)

    def expect(self, token: str) -> None:
        if not self.sees(token):
            raise UnlocatedError(f"expected {token!r} at {self.spot()}")
        self.at += len(token)

    def take(self, pattern: re.Pattern[str]) -> str:
        match = pattern.match(self.text, self.at)
        if match is None:
            return ""
        self.at = match.end()
        return match.group()

    def need(self, pattern: re.Pattern[str]) -> str:
        token = self.take(pattern)
        if not token:
            raise UnlocatedError(f"unexpected text at {self.spot()}")
        return token

    def spot(self) -> Spot:
        line = bisect.bisect_right(self._line_starts, self.at)
        return Spot(line, self.at - self._line_starts[line - 1] + 1)


_VALUES: tuple[tuple[str, Callable[[_Walk, KeyPath], object]], ...] = (
    ("[", _Walk.array),
    ("{", _Walk.inline_table),
    ('"""', lambda walk, _: walk.need(_LONG_BASIC)),
    ("'''", lambda walk, _: walk.need(_LONG_LITERAL)),
    ('"', lambda walk, _: walk.need(_BASIC)),
    ("'", lambda walk, _: walk.need(_LITERAL)),
)


def _quoted(name: str) -> str:
    # TOML, unlike JSON, also wants DEL escaped.
    return json.dumps(name, ensure_ascii=False).replace("\x7f", "\\u007f")


def dotted(path: KeyPath) -> str:
    """Write a path as TOML spells it: dots between keys, quotes where needed, [n] for elements."""
    text = ""
    for part in path:
        if isinstance(part, int):
            text += f"[{part}]"
            continue
        name = part if _BARE_KEY.fullmatch(part) else _quoted(part)
        text += f".{name}" if text else name
    return text
