"""Write an experiment and all that it extends as one file."""

from __future__ import annotations

import pathlib
import re
from collections.abc import Iterator, Sequence
from typing import Any

import attrs

from fxkit.config.entries import Entry, entries
from fxkit.config.layout import Layout, layout
from fxkit.config.relocation import is_path, moved
from fxkit.config.remarks import COLUMN, Comments, absent, default_line
from fxkit.config.subject import Subject
from fxkit.config.writing import toml_key, toml_value
from fxkit.experiment.document import FORMAT
from fxkit.experiment.model import Origin
from fxkit.experiment.positions import KeyPath, dotted
from fxkit.experiment.tables import ARRAYS, PLACES, TABLES
from fxkit.experiment.tree import Tree

_WIDTH = 110
_ORDER = ("run", "data", "features", "controllers", "nodes", "model", "losses", "metrics", "transforms")
_TRAILING = re.compile(r"[ \t]*(#[^\n]*)")


def flatten(subject: Subject, comments: Comments = "trailing", folder: pathlib.Path | None = None) -> str:
    """Return one file that says what a file and its parents say, with every default written out.

    Comments go with the values beside or above which they stand, in whichever file that is; relative paths
    are written anew for `folder`, that of the file by default.
    """
    flat = _Flat(subject, comments, folder or subject.path.parent)
    blocks = [flat.head(), *flat.tables()]
    return "\n\n".join("\n".join(block) for block in blocks if block) + "\n"


@attrs.define
class _Flat:
    subject: Subject
    comments: Comments
    folder: pathlib.Path
    _layouts: dict[str, Layout] = attrs.field(factory=dict)
    _missing: dict[KeyPath, list[Entry]] = attrs.field(factory=dict)
    _paths: set[KeyPath] = attrs.field(factory=set)

    def __attrs_post_init__(self) -> None:
        roots: set[KeyPath] = set()
        for entry in entries(self.subject):
            if entry.origin is None and entry.root not in roots:
                roots.add(entry.root)
                self._missing.setdefault(entry.root[:-1], []).append(entry)
            if is_path(entry.option):
                self._paths.add(entry.path)

    def head(self) -> list[str]:
        start = Origin(file=str(self.subject.path), line=self.first_line())
        return [*self.above(start), f"fxkit = {FORMAT}"]

    def first_line(self) -> int:
        lines = self.layout_of(str(self.subject.path)).text.split("\n")
        return next(number for number, line in enumerate(lines, 1) if line.strip() and line[0] != "#")

    def tables(self) -> Iterator[list[str]]:
        names = [
            *_ORDER,
            *(name for name in (*TABLES, *ARRAYS, *(p.path for p in PLACES)) if name not in _ORDER),
        ]
        named = {place.path for place in PLACES if place.named}
        for name in names:
            node = self.subject.tree.get(name)
            if node is None:
                if (name,) in self._missing:
                    yield [f"[{name}]", *self.defaults((name,))]
            elif name in ARRAYS:
                yield from (self.block((name, i), one, f"[[{name}]]") for i, one in enumerate(node.value))
            elif name in named:
                yield from (self.block((name, key), one) for key, one in node.items())
            else:
                yield self.block((name,), node)

    def block(self, path: KeyPath, node: Tree, header: str = "") -> list[str]:
        """Write a table: its plain values, its defaults, and what is too long for one line below."""
        short, tables = self.sorted(path, node)
        lines = [
            *self.above(node.mark.key),
            f"{header or f'[{dotted(path)}]'}{self.beside(node.mark.key, path)}",
        ]
        for name, entry, value in short:
            lines += [*self.above(entry.mark.key), self.pair(name, value, entry)]
        lines += self.defaults(path)
        for name, entry in tables:
            lines += ["", *self.block((*path, name), entry, self.inner_header(path, name, header))]
        return lines

    def inner_header(self, path: KeyPath, name: str, header: str) -> str:
        return f"[{header.strip('[]')}.{toml_key(name)}]" if header else ""

    def sorted(self, path: KeyPath, node: Tree) -> tuple[list[tuple[str, Tree, str]], list[tuple[str, Tree]]]:
        """Return what fits on a line, as text, and the tables that do not, which must come last."""
        short: list[tuple[str, Tree, str]] = []
        tables: list[tuple[str, Tree]] = []
        for name, entry in node.items():
            text = toml_value(self.plain((*path, name), entry))
            if entry.is_table and len(f"{name} = {text}") > _WIDTH:
                tables.append((name, entry))
            else:
                short.append((name, entry, _folded(name, text, entry, self.plain((*path, name), entry))))
        return short, tables

    def plain(self, path: KeyPath, node: Tree) -> Any:
        """Return a value with the defaults of the tables in it, and its paths written anew."""
        if node.is_table:
            values = {name: self.plain((*path, name), entry) for name, entry in node.items()}
            given = [one for one in self._missing.get(path, ()) if one.value is not None]
            return {**values, **{str(one.root[-1]): self.default(one) for one in given}}
        if isinstance(node.value, tuple):
            return [self.plain((*path, index), entry) for index, entry in enumerate(node.value)]
        if path in self._paths or path[:-1] in self._paths:
            return moved(str(node.value), node.mark.folder, self.folder)
        if path[:2] == ("plugins", "local"):
            file, colon, name = str(node.value).rpartition(":")
            return f"{moved(file, node.mark.folder, self.folder)}{colon}{name}"
        return node.value

    def default(self, entry: Entry) -> Any:
        value: Any = self.subject.experiment.resolved
        for part in entry.root:
            value = value[part]
        return value

    def defaults(self, path: KeyPath) -> list[str]:
        found: Sequence[Entry] = self._missing.get(path, ())
        given = [
            default_line((), one, self.default(one), self.comments) for one in found if one.value is not None
        ]
        left = [absent((), one) for one in found if one.value is None] if self.comments != "none" else []
        return [line for text in (*given, *left) for line in text.split("\n")]

    def pair(self, name: str, value: str, entry: Tree) -> str:
        text = f"{toml_key(name)} = {value}"
        remark = self.beside(entry.mark.value, entry.mark.path)
        return f"{text.ljust(COLUMN - 2)}{remark}" if remark else text

    def layout_of(self, file: str) -> Layout:
        if file not in self._layouts:
            text = pathlib.Path(file).read_bytes().decode("utf-8")
            self._layouts[file] = layout(text.replace("\r\n", "\n"))
        return self._layouts[file]

    def above(self, origin: Origin) -> list[str]:
        """Return the comment that stands right above a line, where nothing else does."""
        if not origin.line:
            return []
        lines = self.layout_of(origin.file).text.split("\n")[: origin.line - 1]
        count = next((n for n, line in enumerate(reversed(lines)) if not line.startswith("#")), len(lines))
        return lines[len(lines) - count :]

    def beside(self, origin: Origin, path: KeyPath) -> str:
        """Return the comment behind a value or a header."""
        if not origin.line:
            return ""
        found = self.layout_of(origin.file)
        end = found.spans[path][1] if path in found.spans else found.headers.get(path)
        match = _TRAILING.match(found.text, end) if end is not None else None
        return f"  {match[1]}" if match else ""


def _folded(name: str, text: str, node: Tree, value: Any) -> str:
    """Write a list that is too long for one line with a line for each element."""
    if len(f"{name} = {text}") <= _WIDTH or not isinstance(value, (list, tuple)):
        return text
    return "".join(["[\n", *(f"    {toml_value(item)},\n" for item in value), "]"])
