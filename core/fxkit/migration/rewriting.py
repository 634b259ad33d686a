"""Change single values in the text of a TOML file, and leave the rest as it was, byte for byte."""

from __future__ import annotations

import re
from collections.abc import Mapping, Sequence
from typing import Any

import attrs
import tomli
import tomlkit

from fxkit.experiment.positions import KeyPath, Position, Spot, dotted, positions
from fxkit.migration.sketch import toml

Path = tuple[str, ...]
_QUOTED = r"\"(?:[^\"\\\n]|\\.)*\"|'[^'\n]*'"
_SCALAR = re.compile(rf"{_QUOTED}|[^\s,\]}}#\"'\[{{][^\s,\]}}#]*")
_KEY = re.compile(rf"[A-Za-z0-9_-]+|{_QUOTED}")


@attrs.frozen(kw_only=True)
class Pair:
    """Put another key and value in the place of those at `path`, whose value is a scalar."""

    path: Path
    key: str
    value: str


@attrs.frozen(kw_only=True)
class Insertion:
    """Add a table behind the last line of another."""

    after: Path
    table: Path
    values: Mapping[str, Any]


def edited(text: str, values: Mapping[Path, Any], edits: Sequence[Pair | Insertion]) -> str:
    """Return the text with `values` at their paths, None for nothing, and everything else as it was.

    The edits are how a person would do it; where they do not lead to the values, because the file is
    written in an unusual way, the keys are exchanged one by one, which may move comments.
    """
    aim = _with(tomli.loads(text), values)
    # A repeated edit would find positions that the one before moved: the last in the file comes first.
    candidate = text
    try:
        for edit in reversed(edits):
            candidate = _EDITS[type(edit)](candidate, edit)
        if edits and tomli.loads(candidate) == aim:
            return candidate
    except (KeyError, tomli.TOMLDecodeError):
        pass
    return _exchanged(text, values)


def _with(data: dict[str, Any], values: Mapping[Path, Any]) -> dict[str, Any]:
    for path, value in values.items():
        table = data
        for name in path[:-1]:
            table = table.setdefault(name, {})
        if value is None:
            table.pop(path[-1], None)
        else:
            table[path[-1]] = value
    return data


def _exchanged(text: str, values: Mapping[Path, Any]) -> str:
    document = tomlkit.parse(text)
    for path, value in values.items():
        table: Any = document
        for name in path[:-1]:
            table = table[name]
        if value is None:
            table.pop(path[-1], None)
        else:
            table[path[-1]] = value
    return tomlkit.dumps(document)


def _exchange_pair(text: str, edit: Pair) -> str:
    place = positions(text)[edit.path]
    start, value = _offset(text, place.key), _offset(text, place.value)
    found = _SCALAR.match(text, value)
    key = _KEY.match(text, start)
    if found is None or key is None:
        raise KeyError(edit.path)
    return text[:start] + edit.key + text[key.end() : value] + edit.value + text[found.end() :]


def _insert(text: str, edit: Insertion) -> str:
    found = positions(text)
    lines = text.split("\n")
    last = max(place.value.line for path, place in found.items() if path[: len(edit.after)] == edit.after)
    if _has_header(found, edit.after, lines):
        pairs = [f"{name} = {toml(value)}" for name, value in edit.values.items()]
        fresh = ["", f"[{dotted(edit.table)}]", *pairs]
    else:
        indent = lines[last - 1][: len(lines[last - 1]) - len(lines[last - 1].lstrip())]
        name = edit.table[-1] if _is_inside(found, edit.after, lines) else dotted(edit.table)
        fresh = [f"{indent}{name} = {toml(edit.values)}"]
    ending = "\r" if lines[last - 1].endswith("\r") else ""
    return "\n".join([*lines[:last], *(f"{line}{ending}" for line in fresh), *lines[last:]])


def _has_header(found: Mapping[KeyPath, Position], path: Path, lines: list[str]) -> bool:
    return lines[found[path].key.line - 1].lstrip().startswith("[")


def _is_inside(found: Mapping[KeyPath, Position], path: Path, lines: list[str]) -> bool:
    """Tell whether the table's parent has a header, under which it is a key."""
    parent = found[path[:-1]].key.line
    return parent < found[path].key.line and lines[parent - 1].lstrip().startswith("[")


def _offset(text: str, spot: Spot) -> int:
    lines = text.split("\n")
    return sum(len(line) + 1 for line in lines[: spot.line - 1]) + spot.column - 1


_EDITS: Mapping[type, Any] = {Pair: _exchange_pair, Insertion: _insert}
