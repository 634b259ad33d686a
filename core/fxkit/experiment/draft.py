"""Hold what could be read of an experiment, before it is known whether all of it could."""

from __future__ import annotations

import re
from collections.abc import Mapping
from typing import Any

import attrs

from fxkit.catalog import Catalog
from fxkit.experiment.composition import OWN_KEYS
from fxkit.experiment.model import Origin, Part
from fxkit.experiment.plugins import Plugins, with_absolute_files
from fxkit.experiment.report import Report
from fxkit.experiment.structure import Structure
from fxkit.experiment.tables import ARRAYS, PLACES, TABLES, Place, PluginsTable
from fxkit.experiment.tree import Mark, Tree, without
from fxkit.experiment.wording import a_table_of, mismatch, suggestion
from fxkit.spec import describe
from fxkit_registry import closest

_NAME = re.compile(r"[a-z0-9][a-z0-9_-]*")


@attrs.frozen
class Draft:
    """Hold the document, and what its tables became; None and absent names stand for broken ones."""

    tree: Tree
    tables: Mapping[str, Any]
    parts: Mapping[str, Mapping[str, Part]]

    def named(self, place: str) -> dict[str, Tree]:
        """Return the tables at a place by name, broken ones too."""
        entry = self.tree.get(place)
        return dict(entry.items()) if entry else {}


def draft(
    tree: Tree, catalog: Catalog, report: Report, *, allow_local: bool, model_only: bool = False
) -> Draft:
    """Read every table of a composed document; every problem goes to the report.

    With `model_only`, what a model alone does not need may be missing: data, losses and training.
    """
    tree = _check_top(_without_phantoms(tree, report), report)
    structure = Structure(report)
    table = _table(structure, tree, "plugins") or PluginsTable()
    structure.plugins = Plugins.under(catalog, table, tree.get("plugins"), report, allow_local=allow_local)
    table = with_absolute_files(table, tree.get("plugins"))
    tables: dict[str, Any] = {"plugins": table}
    for name in TABLES:
        if name != "plugins" and not (model_only and name == "train" and tree.get(name) is None):
            tables[name] = _table(structure, tree, name)
    tables.update({name: _tables(structure, tree, name) for name in ARRAYS})
    spared = ("data", "losses") if model_only else ()
    parts = {
        place.path: {}
        if place.path in spared and tree.get(place.path) is None
        else _parts(structure, tree, place)
        for place in PLACES
    }
    return Draft(tree, tables, parts)


def _without_phantoms(tree: Tree, report: Report) -> Tree:
    """Drop the tables that --set names and no file has; each is reported."""
    for place in PLACES:
        entry = tree.get(place.path) if place.named else None
        names = [] if entry is None else [name for name, one in entry.items() if not _is_phantom(one)]
        for name, one in entry.items() if entry else ():
            if name not in names:
                near = suggestion(name, names) or f"; there are {', '.join(names) or 'none'}"
                report.at_value(one, f"no table [{place.path}.{name}] to change{near}")
                tree = without(tree, (place.path, name))
    return tree


def _is_phantom(tree: Tree) -> bool:
    return tree.is_table and tree.get("type") is None and tree.mark.value.file.startswith("--set")


def _check_top(tree: Tree, report: Report) -> Tree:
    """Report what is none of the tables, and take it for what it was probably meant to be."""
    names = [*TABLES, *ARRAYS, *(place.path for place in PLACES)]
    for name, entry in tree.items():
        if name in names:
            continue
        tables = entry.is_table or entry.is_array_of_tables
        meant = closest(name, [one for one in names if tree.get(one) is None], limit=1)
        if tables:
            near = suggestion(name, names) or f"; there are {', '.join(names)}"
            report.at_key(entry, f"unknown table{near}")
        elif name in OWN_KEYS:
            report.at_key(entry, "only a file can hold this")
        else:
            report.at_key(entry, f"unknown key outside of the tables{_home(name)}")
        tree = without(tree, (name,))
        if meant and tables:
            tree = Tree({**tree.value, meant[0]: entry}, tree.mark)
    return tree


def _home(name: str) -> str:
    homes = {option.name: table for table, cls in TABLES.items() for option in describe(cls).options}
    if name in homes:
        return f"; it belongs in [{homes[name]}]"
    near = closest(name, [*homes, *OWN_KEYS], limit=1)
    place = f" in [{homes[near[0]]}]" if near and near[0] in homes else ""
    return f'; did you mean "{near[0]}"{place}?' if near else ""


def _table(structure: Structure, tree: Tree, name: str) -> Any:
    entry = tree.get(name) or _absent(tree, name)
    if entry.is_table:
        return structure.table(entry, TABLES[name])
    structure.report.at_value(entry, mismatch("table", entry.value))
    return None


def _tables(structure: Structure, tree: Tree, name: str) -> tuple[Any, ...]:
    """Read the tables under [[name]]; those that are wrong are left out."""
    entry = tree.get(name)
    if entry is None:
        return ()
    if not isinstance(entry.value, tuple):
        header = f"in double brackets: [[{name}]]" if entry.is_table else f"[[{name}]] tables"
        structure.report.at_value(entry, f"expected a list of tables; write {header}")
        return ()
    found = []
    for item in entry.value:
        if item.is_table:
            found.append(structure.table(item, ARRAYS[name]))
        else:
            structure.report.at_value(item, mismatch("table", item.value))
    return tuple(one for one in found if one is not None)


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
        structure.report.at_value(tree, mismatch(a_table_of(place.kind), tree.value))
        return None
    if not _NAME.fullmatch(name):
        message = f'the name "{name}" may hold only a-z, 0-9, - and _, and not start with - or _'
        structure.report.at_key(tree, message)
    return structure.part(tree, place.kind, place.keys)


def _present(parts: Mapping[str, Part | None]) -> dict[str, Part]:
    return {name: part for name, part in parts.items() if part is not None}


def _none(place: Place) -> str:
    table = f"[{place.path}.NAME]" if place.named else f"[{place.path}]"
    return f"missing; write {table}, a {a_table_of(place.kind)}"
