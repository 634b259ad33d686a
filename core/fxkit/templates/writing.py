"""Write an experiment as a file that a person likes to read."""

from __future__ import annotations

import json
import re
import textwrap
from collections.abc import Iterator, Mapping, Sequence
from typing import Any

import attrs

from fxkit.experiment.document import FORMAT
from fxkit.experiment.tables import PLACES
from fxkit.experiment.tree import Tree
from fxkit.experiment.wording import toml_text
from fxkit.templates.comments import Comments, above

# The order in which a run meets them.
ORDER = (
    *("run", "data", "transforms", "features", "controllers", "nodes", "model", "losses", "metrics"),
    *("train", "phase", "callbacks", "plugins"),
)
_NAMED = frozenset(place.path for place in PLACES if place.named)
_BARE = re.compile(r"[A-Za-z0-9_-]+")
_COLUMN = 30
_WIDTH = 110


@attrs.frozen
class Layout:
    """Hold what a file is written from: the document, what it begins with, and reasons for values."""

    tree: Tree
    head: Sequence[str]
    reasons: Mapping[tuple[str, ...], str]
    comments: Comments

    def text(self) -> str:
        """Return the whole file."""
        blocks = ["\n".join([*self.head, f"fxkit = {FORMAT}"])]
        for name in ORDER:
            entry = self.tree.get(name)
            if entry is not None:
                blocks += ["\n".join(block) for block in self._sections(name, entry)]
        return "\n\n".join(blocks) + "\n"

    def _sections(self, name: str, entry: Tree) -> Iterator[list[str]]:
        if name in _NAMED:
            for key, table in entry.items():
                yield self._section(f"[{name}.{_key(key)}]", table)
        elif entry.is_array_of_tables:
            for table in entry.value:
                yield self._section(f"[[{name}]]", table)
        else:
            yield self._section(f"[{name}]", entry)

    def _section(self, header: str, table: Tree) -> list[str]:
        lines = [f"# {line}" if line else "#" for line in above(table)]
        lines.append(header)
        for key, entry in _dotted(table):
            lines += self._entry(key, entry, table)
        return lines

    def _entry(self, key: str, entry: Tree, table: Tree) -> list[str]:
        notes = [f"# {line}" if line else "#" for line in above(entry)]
        line = f"{key} = {_inline(entry.plain())}"
        path = tuple(str(part) for part in entry.mark.path)
        comment = self.reasons.get(path) or self.comments.of_value(entry, table)
        if not comment:
            return [*notes, line]
        full = f"{line.ljust(_COLUMN)} # {comment}"
        if len(full) <= _WIDTH:
            return [*notes, full]
        return [*notes, *textwrap.wrap(comment, _WIDTH, initial_indent="# ", subsequent_indent="# "), line]


def _dotted(table: Tree, prefix: str = "") -> Iterator[tuple[str, Tree]]:
    """Yield the entries of a table; a table in it that names no plugin as dotted keys."""
    for name, entry in table.items():
        key = f"{prefix}{_key(name)}"
        if entry.is_table and entry.get("type") is None and entry.value:
            yield from _dotted(entry, f"{key}.")
        else:
            yield key, entry


def _key(name: str) -> str:
    return name if _BARE.fullmatch(name) else _text(name)


def _inline(value: Any) -> str:
    if isinstance(value, Mapping):
        return f"{{ {', '.join(f'{_key(key)} = {_inline(item)}' for key, item in value.items())} }}"
    if isinstance(value, (list, tuple)):
        return f"[{', '.join(map(_inline, value))}]"
    return _text(value) if isinstance(value, str) else toml_text(value)


def _text(value: str) -> str:
    """Write text whole; as it is where backslashes would have to be doubled."""
    if "\\" in value and "'" not in value and value.isprintable():
        return f"'{value}'"
    return json.dumps(value, ensure_ascii=False).replace("\x7f", "\\u007f")
