"""Put an experiment together from a file and those that it extends."""

from __future__ import annotations

import pathlib
from collections.abc import Sequence
from typing import Any

import attrs
import tomli

from fxkit.experiment.document import read_file
from fxkit.experiment.overrides import override_parents
from fxkit.experiment.positions import KeyPath, dotted
from fxkit.experiment.report import Report
from fxkit.experiment.shipped import shipped_bases, shown
from fxkit.experiment.tree import Tree, merge, without
from fxkit.experiment.wording import mismatch, suggestion, toml_text, value_text

OWN_KEYS = ("fxkit", "extends", "remove")


@attrs.frozen
class _Link:
    """Hold one file of the chain that leads to a parent, and the line that names the next."""

    path: pathlib.Path
    place: str


def compose(path: pathlib.Path, report: Report, settings: Sequence[str] = ()) -> Tree | None:
    """Read a file and its parents into one tree; None when any of them is missing or cannot be read.

    Parents come first, left to right, each with its own parents before it; a file that several of them
    extend counts once, where it comes first. What a file names in `remove` is taken out of what came
    before it, and the file itself is laid over the rest. Of `settings`, the --set options, those that
    name `extends` change which parents the first file has.
    """
    tree = read_file(path, (), report)
    return None if tree is None else _composed(tree, path, settings, report)


def compose_document(tree: Tree, report: Report, settings: Sequence[str] = ()) -> Tree | None:
    """Do the same for a document that was read already."""
    return _composed(tree, pathlib.Path(tree.mark.value.file), settings, report)


def _composed(tree: Tree, path: pathlib.Path, settings: Sequence[str], report: Report) -> Tree | None:
    stack = _Stack(report, Tree({}, tree.mark))
    return stack.base if stack.lay(override_parents(tree, settings, report), path, ()) else None


@attrs.define
class _Stack:
    """Lay files over each other, each of them once; `laid` holds which."""

    report: Report
    base: Tree
    laid: set[pathlib.Path] = attrs.field(factory=set)

    def lay(self, tree: Tree, path: pathlib.Path, chain: tuple[_Link, ...]) -> bool:
        """Lay a file's parents and then the file itself; False when any of them cannot be."""
        own = Tree({name: entry for name, entry in tree.items() if name not in OWN_KEYS}, tree.mark)
        if not self.lay_parents(tree, path, chain):
            return False
        self.base = merge(_reduced(self.base, _removals(tree, self.report), self.report), own)
        self.laid.add(path.resolve())
        return True

    def lay_parents(self, tree: Tree, path: pathlib.Path, chain: tuple[_Link, ...]) -> bool:
        before = frozenset(self.laid)
        parents = _parents(tree, self.report)
        # All of them, so that everything that is wrong with any is told.
        laid = [self.lay_parent(one, path, chain, before) for one in parents or ()]
        return parents is not None and all(laid)

    def lay_parent(
        self, entry: Tree, path: pathlib.Path, chain: tuple[_Link, ...], before: frozenset[pathlib.Path]
    ) -> bool:
        found = _located(entry.value, entry.mark.folder)
        links = (*chain, _Link(path, _place(entry)))
        names = [shown(link.path) for link in links]
        if found is None:
            near = suggestion(entry.value, _candidates(entry.mark.folder))
            trail = " -> ".join([*names, entry.value])
            message = f"no file {shown(entry.mark.folder / entry.value)}{near} ({trail})"
            self.report.at_value(entry, message)
            return False
        if found.resolve() in (link.path.resolve() for link in links):
            cycle = f"cycle {' -> '.join([*names, shown(found)])}; a file cannot extend itself"
            self.report.at_value(entry, cycle)
            return False
        if found.resolve() in self.laid:
            if found.resolve() not in before:
                fix = "name it before the file that extends it, or leave it out"
                self.report.at_value(entry, f"{shown(found)} is there already, and counts once; {fix}")
            return True
        parent = read_file(found, [link.place for link in reversed(links)], self.report)
        return parent is not None and self.lay(parent, found, links)


def _place(entry: Tree) -> str:
    origin = entry.mark.value
    return f"{origin.file}:{origin.line}" if origin.line else origin.file


def _located(name: str, folder: pathlib.Path) -> pathlib.Path | None:
    beside = folder / name
    return beside if beside.exists() else shipped_bases().get(name)


def _candidates(folder: pathlib.Path) -> list[str]:
    beside = [*folder.glob("*.toml"), *folder.glob("*/*.toml")]
    return [*(path.relative_to(folder).as_posix() for path in beside), *shipped_bases()]


def _parents(tree: Tree, report: Report) -> list[Tree] | None:
    """Return the parents in `extends`: a list, a table that gives them names, or the one there is."""
    entry = tree.get("extends")
    if entry is None:
        return []
    if isinstance(entry.value, str):
        return [entry]
    if entry.is_table:
        return _texts([one for _, one in entry.items()], report)
    if isinstance(entry.value, tuple):
        return _texts(entry.value, report)
    shapes = 'a file, a list of files, or a table that gives each a name: { model = "tcn.toml" }'
    report.at_value(entry, f"expected {shapes}; got {value_text(entry.value)}")
    return None


def _removals(tree: Tree, report: Report) -> list[Tree]:
    entry = tree.get("remove")
    if entry is None:
        return []
    if isinstance(entry.value, tuple):
        return _texts(entry.value, report)
    report.at_value(entry, mismatch("list of text", entry.value))
    return [entry] if isinstance(entry.value, str) else []


def _texts(entries: Sequence[Tree], report: Report) -> list[Tree]:
    """Return the entries that are text; the others are reported."""
    for item in entries:
        if not isinstance(item.value, str):
            report.at_value(item, mismatch("text", item.value))
    return [item for item in entries if isinstance(item.value, str)]


def _reduced(base: Tree, removals: list[Tree], report: Report) -> Tree:
    for entry in removals:
        path = _key_path(entry.value)
        if not path or base.at(path) is None:
            near = suggestion(entry.value, _all_paths(base))
            message = f"nothing called {toml_text(entry.value)} in the files that this one extends{near}"
            report.at_value(entry, message)
        else:
            base = without(base, path)
    return base


def _key_path(text: str) -> KeyPath:
    try:
        data: Any = tomli.loads(f"{text} = 0")
    except tomli.TOMLDecodeError:
        return ()
    path: KeyPath = ()
    while isinstance(data, dict):
        name, data = next(iter(data.items()))
        path = (*path, name)
    return path


def _all_paths(tree: Tree) -> list[str]:
    return [dotted(path[:end]) for path, _ in tree.leaves() for end in range(1, len(path) + 1)]
