"""Hold what could be read of an experiment, before it is known whether all of it could."""

from __future__ import annotations

import re
from collections.abc import Mapping
from typing import Any

import attrs

from fxkit.catalog import Catalog
from fxkit.experiment.model import Origin, Part
from fxkit.experiment.plugins import Plugins
from fxkit.experiment.report import Report
from fxkit.experiment.structure import Structure
from fxkit.experiment.tables import PLACES, TABLES, Place, PluginsTable
from fxkit.experiment.tree import Mark, Tree
from fxkit.experiment.wording import mismatch, suggestion
from fxkit.kinds import kind_named
from fxkit.spec import describe

_NAME = re.compile(r"[a-z0-9][a-z0-9_-]*")


@attrs.frozen
class Draft:
    """Hold the document, and what its tables became; None and absent names stand for broken ones."""

    tree: Tree
    tables: Mapping[str, Any]
    parts: Mapping[str, Mapping[str, Part]]

    def names(self, place: str) -> tuple[str, ...]:
        """Return the names of the tables at a place, broken ones too."""
        return tuple(name for name, _ in (self.tree.get(place) or _absent(self.tree, place)).items())


def draft(tree: Tree, catalog: Catalog, report: Report, *, allow_local: bool) -> Draft:
    """Read every table of a composed document; every problem goes to the report."""
    _check_top(tree, report)
    structure = Structure(report)
    table = _table(structure, tree, "plugins") or PluginsTable()
    structure.plugins = Plugins.under(catalog, table, tree.get("plugins"), report, allow_local=allow_local)
    others = {name: _table(structure, tree, name) for name in TABLES if name != "plugins"}
    return Draft(
        tree, {"plugins": table, **others}, {place.path: _parts(structure, tree, place) for place in PLACES}
    )


def _check_top(tree: Tree, report: Report) -> None:
    names = [*TABLES, *(place.path for place in PLACES)]
    for name, entry in tree.items():
        if name in names:
            continue
        if entry.is_table:
            near = suggestion(name, names) or f"; there are {', '.join(names)}"
            report.at_key(entry, f"unknown table{near}")
            continue
        homes = [home for home, cls in TABLES.items() if describe(cls).option(name)]
        hint = f"; it belongs in [{homes[0]}]" if homes else suggestion(name, [*names, "extends", "remove"])
        report.at_key(entry, f"unknown key outside of the tables{hint}")


def _table(structure: Structure, tree: Tree, name: str) -> Any:
    entry = tree.get(name) or _absent(tree, name)
    if entry.is_table:
        return structure.table(entry, TABLES[name])
    structure.report.at_value(entry, mismatch("table", entry.value))
    return None


def _absent(tree: Tree, name: str) -> Tree:
    """Return the empty table that stands for one which the file leaves out."""
    start = Origin(file=tree.mark.value.file, line=tree.mark.value.line, column=tree.mark.value.column)
    return Tree({}, Mark((name,), start, start, tree.mark.folder))


def _parts(structure: Structure, tree: Tree, place: Place) -> dict[str, Part]:
    report = structure.report
    entry = tree.get(place.path)
    if entry is None or (place.named and entry.is_table and not entry.value):
        if place.required:
            report.at_table(entry or _absent(tree, place.path), _none(place))
        return {}
    if not place.named:
        return _present({"": structure.part(entry, place.kind, place.keys)})
    if not entry.is_table:
        report.at_value(entry, mismatch("table", entry.value))
        return {}
    return _present({name: _named(structure, name, item, place) for name, item in entry.items()})


def _named(structure: Structure, name: str, tree: Tree, place: Place) -> Part | None:
    if not tree.is_table:
        message = f"expected a table [{place.path}.NAME], got {name!r} directly in [{place.path}]"
        structure.report.at_key(tree, message)
        return None
    if not _NAME.fullmatch(name):
        message = f'the name "{name}" may hold only a-z, 0-9, - and _, and not start with - or _'
        structure.report.at_key(tree, message)
    return structure.part(tree, place.kind, place.keys)


def _present(parts: Mapping[str, Part | None]) -> dict[str, Part]:
    return {name: part for name, part in parts.items() if part is not None}


def _none(place: Place) -> str:
    kind = kind_named(place.kind)
    singular = kind.singular if kind else place.kind
    table = f"[{place.path}.NAME]" if place.named else f"[{place.path}]"
    return f"missing; write a table {table} with the type of a {singular}"
