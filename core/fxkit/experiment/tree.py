"""Hold a document in which every value knows where it was written, and merge such documents."""

from __future__ import annotations

import pathlib
from collections.abc import Iterator, Mapping
from typing import Any

import attrs

from fxkit.experiment.model import Origin
from fxkit.experiment.positions import KeyPath, Position, Spot


class Bare(str):
    """Be the text of a --set value that is not TOML; only a text option may take it."""

    __slots__ = ()


@attrs.frozen
class Mark:
    """Say which path this is, where its key and value were written, and the folder of that file."""

    path: KeyPath
    key: Origin
    value: Origin
    folder: pathlib.Path


@attrs.frozen
class Tree:
    """Hold one value with its mark: a scalar, a tuple of trees, or a mapping of names to trees."""

    value: Any
    mark: Mark

    @property
    def is_table(self) -> bool:
        """Tell whether this is a table."""
        return isinstance(self.value, Mapping)

    @property
    def is_array_of_tables(self) -> bool:
        """Tell whether this is an array that holds tables and nothing else."""
        return isinstance(self.value, tuple) and bool(self.value) and all(one.is_table for one in self.value)

    def get(self, name: str) -> Tree | None:
        """Return the entry called `name` of a table; None when it is absent or this is no table."""
        return self.value.get(name) if self.is_table else None

    def items(self) -> tuple[tuple[str, Tree], ...]:
        """Return the entries of a table, in order; nothing for any other value."""
        return tuple(self.value.items()) if self.is_table else ()

    def at(self, path: KeyPath) -> Tree | None:
        """Return what stands at a path of names, or None."""
        found: Tree | None = self
        for part in path:
            found = found.get(str(part)) if found else None
        return found

    def plain(self) -> Any:
        """Return the value without marks."""
        if isinstance(self.value, Mapping):
            return {name: entry.plain() for name, entry in self.value.items()}
        if isinstance(self.value, tuple):
            return [entry.plain() for entry in self.value]
        return self.value

    def leaves(self, path: KeyPath = ()) -> Iterator[tuple[KeyPath, Tree]]:
        """Yield every value that is not a table, with its path; an array of values counts as one."""
        if self.is_array_of_tables:
            for index, entry in enumerate(self.value):
                yield from entry.leaves((*path, index))
        elif not self.is_table:
            yield path, self
        for name, entry in self.items():
            yield from entry.leaves((*path, name))


@attrs.frozen(kw_only=True)
class Source:
    """Name where a document comes from: as shown, its folder, and the files that led to it."""

    file: str
    folder: pathlib.Path
    via: str = ""

    def origin(self, spot: Spot | None) -> Origin:
        """Return the origin of what stands at `spot`."""
        if spot is None:
            return Origin(file=self.file, via=self.via)
        return Origin(file=self.file, line=spot.line, column=spot.column, via=self.via)


def plant(value: Any, source: Source, found: Mapping[KeyPath, Position], path: KeyPath = ()) -> Tree:
    """Make a tree of plain parsed data; `found` holds the positions, and may lack any of them."""
    position = found.get(path)
    mark = Mark(
        path,
        source.origin(position.key if position else None),
        source.origin(position.value if position else None),
        source.folder,
    )
    if isinstance(value, Mapping):
        entries = {str(name): plant(item, source, found, (*path, name)) for name, item in value.items()}
        return Tree(entries, mark)
    if isinstance(value, (list, tuple)):
        return Tree(tuple(plant(item, source, found, (*path, i)) for i, item in enumerate(value)), mark)
    return Tree(value, mark)


def merge(base: Tree, over: Tree) -> Tree:
    """Lay `over` onto `base`.

    Tables merge key by key, unless both name a different `type`: then `over` replaces `base` whole.
    Everything else replaces. Keys keep the order of `base`, new ones follow. A merged table counts
    as written in `over`, unless that has no line to show.
    """
    if not (base.is_table and over.is_table) or _types_differ(base, over):
        return over
    merged = dict(base.value)
    for name, entry in over.items():
        merged[name] = merge(merged[name], entry) if name in merged else entry
    return Tree(merged, over.mark if over.mark.value.line else base.mark)


def _types_differ(base: Tree, over: Tree) -> bool:
    one, other = base.get("type"), over.get("type")
    return one is not None and other is not None and one.value != other.value


def without(tree: Tree, path: KeyPath) -> Tree:
    """Return the tree less what stands at `path`, a path of names that exists."""
    name, rest = str(path[0]), path[1:]
    entries = dict(tree.value)
    if rest:
        entries[name] = without(entries[name], rest)
    else:
        del entries[name]
    return Tree(entries, tree.mark)
