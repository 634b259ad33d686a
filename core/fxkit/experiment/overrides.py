"""Lay `--set path=value` options over a document."""

from __future__ import annotations

import pathlib
import re
from collections.abc import Sequence
from typing import Any

import tomli

from fxkit.experiment.report import Report
from fxkit.experiment.tree import Bare, Source, Tree, merge, plant
from fxkit.experiment.wording import suggestion

_KEY = r"""(?:[A-Za-z0-9_-]+|"(?:[^"\\]|\\.)*"|'[^']*')"""
_OVERRIDE = re.compile(rf"\s*({_KEY}(?:\s*\.\s*{_KEY})*)\s*=(.*)", re.DOTALL)


PARENTS = "extends"


def override(tree: Tree, texts: Sequence[str], report: Report) -> Tree:
    """Return the tree with each `path=value` merged in, in order; what cannot be read is reported.

    Those that change the parents are left to `override_parents`.
    """
    for number, text in enumerate(texts, 1):
        over = _planted(number, text)
        if over is None:
            report.add(_source(number).origin(None), text, "expected path=value, such as train.steps=500")
        elif over.get(PARENTS) is None:
            tree = merge(tree, _aimed(tree, over, report))
    return tree


def override_parents(tree: Tree, texts: Sequence[str], report: Report) -> Tree:
    """Return a file's tree with what `extends=...` and `extends.NAME=...` say in place of its parents."""
    for number, text in enumerate(texts, 1):
        over = _planted(number, text)
        entry = over.get(PARENTS) if over else None
        if over and entry and _is_there(entry, tree.get(PARENTS), report):
            tree = merge(tree, over)
    return tree


def _is_there(over: Tree, base: Tree | None, report: Report) -> bool:
    """Tell whether the parents that a setting changes by name are there; those that are not are reported."""
    names = [name for name, _ in base.items()] if base else []
    missing = [(name, entry) for name, entry in over.items() if name not in names]
    for name, entry in missing:
        hint = suggestion(name, names) or f"; there are {', '.join(names)}"
        unnamed = f'; give them names in the file: extends = {{ {name} = "..." }}'
        report.at_value(entry, f'no parent is called "{name}"{hint if names else unnamed}')
    return not missing


def _source(number: int) -> Source:
    return Source(file=f"--set #{number}", folder=pathlib.Path.cwd())


def _planted(number: int, text: str) -> Tree | None:
    data = _parse(text)
    return None if data is None else plant(data, _source(number), {})


def _aimed(base: Tree | None, over: Tree, report: Report) -> Tree:
    """Return `over` with whole arrays for what it changes in the members of an array of tables."""
    if base is None or not over.is_table:
        return over
    if base.is_array_of_tables:
        return Tree(_members(base, over, report), base.mark)
    entries = {name: _aimed(base.get(name), entry, report) for name, entry in over.items()}
    return Tree(entries, over.mark)


def _members(base: Tree, over: Tree, report: Report) -> tuple[Tree, ...]:
    members: list[Tree] = list(base.value)
    titles = [_title(one) for one in members]
    for name, entry in over.items():
        index = titles.index(name) if name in titles else int(name) if name.isdecimal() else len(members)
        if index < len(members):
            members[index] = merge(members[index], _aimed(members[index], entry, report))
        else:
            known = [title for title in titles if title]
            there = ", ".join([f"0 to {len(members) - 1}", *known])
            hint = suggestion(name, known) or f"; there are {there}"
            report.at_value(entry, f"nothing to change there{hint}")
    return tuple(members)


def _title(table: Tree) -> str:
    name = table.get("name")
    return str(name.value) if name else ""


def _parse(text: str) -> dict[str, Any] | None:
    match = _OVERRIDE.fullmatch(text)
    if match is None:
        return None
    try:
        data = tomli.loads(f"{match[1]} = 0")
    except tomli.TOMLDecodeError:
        return None
    return _filled(data, _value(match[2].strip()))


def _filled(data: dict[str, Any], value: Any) -> dict[str, Any]:
    return {name: _filled(inner, value) if isinstance(inner, dict) else value for name, inner in data.items()}


def _value(text: str) -> Any:
    """Parse a value; one that is not TOML is text without quotes, for text options alone."""
    try:
        data = tomli.loads(f"value = {text}")
    except tomli.TOMLDecodeError:
        return Bare(text)
    return data["value"] if len(data) == 1 else Bare(text)
