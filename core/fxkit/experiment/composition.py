"""Put an experiment together from a file and those that it extends."""

from __future__ import annotations

import pathlib
from typing import Any

import attrs
import tomli

from fxkit.experiment.document import read_file
from fxkit.experiment.positions import KeyPath, dotted
from fxkit.experiment.report import Report
from fxkit.experiment.shipped import shipped_bases, shown
from fxkit.experiment.tree import Tree, merge, without
from fxkit.experiment.wording import mismatch, suggestion, toml_text

OWN_KEYS = ("fxkit", "extends", "remove")


@attrs.frozen
class _Link:
    """Hold one file of the chain that leads to a parent, and the line that names the next."""

    path: pathlib.Path
    place: str


def compose(path: pathlib.Path, report: Report) -> Tree | None:
    """Read a file and its parents into one tree; None when any of them is missing or cannot be read.

    Parents come first, left to right, each with its own parents before it; then what `remove` names
    is taken out, and the file itself is laid over the rest.
    """
    return _compose(path, (), report)


def compose_document(tree: Tree, report: Report) -> Tree | None:
    """Do the same for a document that was read already."""
    return _joined(tree, pathlib.Path(tree.mark.value.file), (), report)


def _compose(path: pathlib.Path, chain: tuple[_Link, ...], report: Report) -> Tree | None:
    tree = read_file(path, [link.place for link in reversed(chain)], report)
    return None if tree is None else _joined(tree, path, chain, report)


def _joined(tree: Tree, path: pathlib.Path, chain: tuple[_Link, ...], report: Report) -> Tree | None:
    parents = [_parent(entry, path, chain, report) for entry in _listed(tree, "extends", report)]
    own = Tree({name: entry for name, entry in tree.items() if name not in OWN_KEYS}, tree.mark)
    base = Tree({}, tree.mark)
    for parent in parents:
        if parent is None:
            return None
        base = merge(base, parent)
    return merge(_reduced(base, _listed(tree, "remove", report), report), own)


def _parent(entry: Tree, path: pathlib.Path, chain: tuple[_Link, ...], report: Report) -> Tree | None:
    found = _located(entry.value, entry.mark.folder)
    links = (*chain, _Link(path, f"{shown(path)}:{entry.mark.value.line}"))
    names = [shown(link.path) for link in links]
    if found is None:
        near = suggestion(entry.value, _candidates(entry.mark.folder))
        trail = " -> ".join([*names, entry.value])
        message = f"no file {shown(entry.mark.folder / entry.value)}{near} ({trail})"
        report.at_value(entry, message)
        return None
    if found.resolve() in (link.path.resolve() for link in links):
        report.at_value(entry, f"cycle {' -> '.join([*names, shown(found)])}; a file cannot extend itself")
        return None
    return _compose(found, links, report)


def _located(name: str, folder: pathlib.Path) -> pathlib.Path | None:
    beside = folder / name
    return beside if beside.exists() else shipped_bases().get(name)


def _candidates(folder: pathlib.Path) -> list[str]:
    beside = [*folder.glob("*.toml"), *folder.glob("*/*.toml")]
    return [*(path.relative_to(folder).as_posix() for path in beside), *shipped_bases()]


def _listed(tree: Tree, name: str, report: Report) -> list[Tree]:
    """Return the entries of a list of texts; what is not one is reported. A text stands for a list of it."""
    entry = tree.get(name)
    if entry is None:
        return []
    if not isinstance(entry.value, tuple):
        report.at_value(entry, mismatch("list of text", entry.value))
        return [entry] if isinstance(entry.value, str) else []
    for item in entry.value:
        if not isinstance(item.value, str):
            report.at_value(item, mismatch("text", item.value))
    return [item for item in entry.value if isinstance(item.value, str)]


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
