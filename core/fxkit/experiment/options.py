"""Find the options of a draft's plugins that declare something beyond their type, where they stand."""

from __future__ import annotations

from collections.abc import Iterator
from typing import Any

import attrs

from fxkit.experiment.draft import Draft
from fxkit.experiment.model import Part
from fxkit.experiment.positions import dotted
from fxkit.experiment.tree import Tree
from fxkit.spec import METADATA_KEY, OptionMeta


@attrs.frozen(kw_only=True)
class Placed:
    """Hold an option of a plugin: its value, and the table with the entry that gives it, if any."""

    part: Part
    name: str
    meta: OptionMeta
    value: Any
    table: Tree

    @property
    def written(self) -> Tree | None:
        """Return the entry in the file; None where the default holds."""
        return self.table.get(self.name)

    def texts(self) -> Iterator[tuple[str, Tree | None]]:
        """Yield each text of the value, a text or a list of them, with its place; None for a default."""
        values = self.value if isinstance(self.value, tuple) else (self.value,)
        entry = self.written
        items = entry.value if entry is not None and isinstance(entry.value, tuple) else ()
        for index, value in enumerate(values):
            if isinstance(value, str):
                yield value, items[index] if index < len(items) else entry


def placed(found: Draft) -> Iterator[Placed]:
    """Yield every option of every plugin that the file names, also inside options."""
    tables = {dotted(tree.mark.path): tree for tree in _tables(found.tree)}
    for part in all_parts(found):
        table = tables.get(part.path)
        for name, meta, value in declared(part.spec) if table is not None else ():
            assert table is not None
            yield Placed(part=part, name=name, meta=meta, value=value, table=table)


def declared(spec: Any) -> Iterator[tuple[str, OptionMeta, Any]]:
    """Yield name, declaration and value of each option of a spec; nothing of what is not declared."""
    for field in attrs.fields(type(spec)) if attrs.has(type(spec)) else ():
        if METADATA_KEY in field.metadata:
            yield field.name, field.metadata[METADATA_KEY], getattr(spec, field.name)


def all_parts(found: Draft) -> Iterator[Part]:
    """Yield every plugin of the named tables and of [data], inline controllers and inner ones too."""
    for parts in found.parts.values():
        for part in parts.values():
            yield from part.all()
            controller = getattr(part.keys, "controller", None)
            if isinstance(controller, Part):
                yield from controller.all()


def _tables(tree: Tree) -> Iterator[Tree]:
    if tree.is_table:
        yield tree
    entries = tree.value if isinstance(tree.value, tuple) else [entry for _, entry in tree.items()]
    for entry in entries:
        yield from _tables(entry)
