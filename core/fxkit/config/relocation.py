"""Write the relative paths of a file anew for another folder."""

from __future__ import annotations

import os
import pathlib
from collections.abc import Iterator
from typing import Any

from fxkit.config.entries import Entry, entries
from fxkit.config.layout import layout
from fxkit.config.subject import Subject
from fxkit.config.writing import toml_value
from fxkit.experiment.document import read_file
from fxkit.experiment.positions import KeyPath
from fxkit.experiment.report import Report
from fxkit.experiment.shipped import shipped_bases, shipped_folder, shown
from fxkit.experiment.tree import Tree
from fxkit.spec import Option


def relocated(subject: Subject, text: str, folder: pathlib.Path) -> str:
    """Return a file's text for another folder: options that are paths, parents, and files of local code."""
    if folder.resolve() == subject.path.parent.resolve():
        return text
    found = layout(text)
    own = read_file(subject.path, (), Report()) or subject.tree
    edits = {path: new for path, new in _moved(subject, own, folder) if path in found.spans}
    for path in sorted(edits, key=lambda path: found.spans[path], reverse=True):
        start, end = found.spans[path]
        text = text[:start] + toml_value(edits[path]) + text[end:]
    return text


def _moved(subject: Subject, own: Tree, folder: pathlib.Path) -> Iterator[tuple[KeyPath, str]]:
    here = subject.path.parent
    for entry in entries(subject):
        if is_path(entry.option) and _is_own(subject, entry):
            node = subject.at(entry.path)
            items = (
                node.leaves(entry.path) if node and not isinstance(node.value, tuple) else _items(node, entry)
            )
            yield from ((path, moved(str(leaf.value), here, folder)) for path, leaf in items)
    for path, leaf in own.leaves():
        if path[0] == "extends":
            items = _items(leaf, None, path) if isinstance(leaf.value, tuple) else ((path, leaf),)
            yield from ((place, _parent(str(one.value), here, folder)) for place, one in items)
        if path[:2] == ("plugins", "local"):
            file, colon, name = str(leaf.value).rpartition(":")
            yield path, f"{moved(file, here, folder)}{colon}{name}"


def _is_own(subject: Subject, entry: Entry) -> bool:
    return entry.origin is not None and not entry.preset and entry.origin.file == shown(subject.path)


def _items(node: Tree | None, entry: Entry | None, path: KeyPath = ()) -> Iterator[tuple[KeyPath, Tree]]:
    base = entry.path if entry else path
    values: Any = node.value if node else ()
    yield from (((*base, index), one) for index, one in enumerate(values))


def is_path(option: Option | None) -> bool:
    """Tell whether an option is a path, or a list of them."""
    return option is not None and "path" in option.type_text.replace("list of ", "").split(" | ")


def moved(written: str, here: pathlib.Path, folder: pathlib.Path) -> str:
    """Return how a path that is relative to one folder is written in another."""
    path = pathlib.Path(written).expanduser()
    if path.is_absolute():
        return written
    return pathlib.Path(os.path.relpath(here.absolute() / path, folder.absolute())).as_posix()


def _parent(written: str, here: pathlib.Path, folder: pathlib.Path) -> str:
    """Return how a parent is written in another folder; bases that ship are found from anywhere."""
    from_anywhere = written in shipped_bases() and not (folder / written).exists()
    return written if from_anywhere and _is_base(here / written) else moved(written, here, folder)


def _is_base(beside: pathlib.Path) -> bool:
    """Tell whether what a file finds is a base that ships, not one of that name beside it."""
    return not beside.exists() or beside.resolve().is_relative_to(shipped_folder().resolve())
