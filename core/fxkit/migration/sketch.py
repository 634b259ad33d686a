"""Write a new experiment file table by table, with remarks where something is missing."""

from __future__ import annotations

import json
import math
import re
import textwrap
from collections.abc import Iterator, Mapping
from typing import Any

import attrs

from fxkit.experiment.document import FORMAT

# The order in which the tables of a file are read best.
ORDER = ("run", "data", "controllers", "nodes", "model", "losses", "metrics", "train", "phase", "callbacks")
_BARE = re.compile(r"[A-Za-z0-9_-]+")
_WIDTH = 100


@attrs.frozen
class Sketch:
    """Gather the values and the remarks of an experiment by table: "run", "nodes.amp"."""

    tables: dict[str, dict[str, Any]] = attrs.field(factory=dict)
    remarks: dict[str, list[str]] = attrs.field(factory=dict)

    def set(self, table: str, **values: Any) -> None:
        """Write values into a table; None leaves a key out, and "__" stands for a dot."""
        found = self.tables.setdefault(table, {})
        found.update({name.replace("__", "."): value for name, value in values.items() if value is not None})

    def remark(self, table: str, text: str) -> None:
        """Write a comment into a table; "" is the head of the file."""
        lines = self.remarks.setdefault(table, [])
        if text not in lines:
            lines.append(text)

    def free(self, place: str, name: str) -> str:
        """Return a name that no table at `place` has: NAME, NAME-2, ..."""
        name = re.sub(r"[^a-z0-9_-]+", "-", name.lower()).strip("-_") or "part"
        number, found = 2, name
        while f"{place}.{found}" in self.tables:
            found, number = f"{name}-{number}", number + 1
        return found

    def text(self) -> str:
        """Return the file as TOML."""
        head = [*_comments(self.remarks.get("", ())), f"fxkit = {FORMAT}"]
        blocks = ["\n".join(head), *(self._block(table) for table in self._ordered())]
        return "\n\n".join(blocks) + "\n"

    def _ordered(self) -> list[str]:
        names = dict.fromkeys([*self.tables, *(name for name in self.remarks if name)])
        places = {name: index for index, name in enumerate(ORDER)}
        return sorted(names, key=lambda name: places.get(name.partition(".")[0], len(ORDER)))

    def _block(self, table: str) -> str:
        remarks = list(_comments(self.remarks.get(table, ())))
        if table not in self.tables:
            return "\n".join([f"# [{table}]", *remarks])
        pairs = (f"{_key(name)} = {toml(value)}" for name, value in self.tables[table].items())
        return "\n".join([f"[{table}]", *pairs, *remarks])


def _comments(remarks: list[str] | tuple[str, ...]) -> Iterator[str]:
    for remark in remarks:
        lines = textwrap.wrap(remark, _WIDTH, break_long_words=False, break_on_hyphens=False)
        yield from (f"# {'  ' if index else ''}{line}" for index, line in enumerate(lines))


def _key(name: str) -> str:
    parts = name.split(".")
    return ".".join(part if _BARE.fullmatch(part) else toml(part) for part in parts)


def toml(value: Any) -> str:
    """Write a value as TOML, a list of tables one to a line.

    Raises `ValueError` for what TOML has not.
    """
    if isinstance(value, str):
        return json.dumps(value, ensure_ascii=False).replace("\x7f", "\\u007f")
    if isinstance(value, bool):
        return "true" if value else "false"
    if isinstance(value, Mapping):
        pairs = ", ".join(f"{_key(name)} = {toml(item)}" for name, item in value.items())
        return f"{{ {pairs} }}" if pairs else "{}"
    if isinstance(value, (list, tuple)):
        if value and all(isinstance(item, Mapping) for item in value):
            return "[\n" + "".join(f"    {toml(item)},\n" for item in value) + "]"
        return f"[{', '.join(map(toml, value))}]"
    if isinstance(value, (int, float)) and math.isfinite(value):
        return repr(value)
    raise ValueError(f"{value!r} cannot be written as TOML")
