"""Write the relative paths of a file anew for another folder."""

from __future__ import annotations

import os
import pathlib
from collections.abc import Iterator

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
            for path, text in _texts(subject.at(entry.path), entry.path):
                yield path, moved(text, here, folder)
    for path, text in _texts(own.get("extends"), ("extends",)):
        yield path, _parent(text, here, folder)
    for path, text in _texts(own.at(("plugins", "local")), ("plugins", "local")):
        file, colon, name = text.rpartition(":")
        yield path, f"{moved(file, here, folder)}{colon}{name}"


def _is_own(subject: Subject, entry: Entry) -> bool:
    return entry.origin is not None and not entry.preset and entry.origin.file == shown(subject.path)


def _texts(node: Tree | None, path: KeyPath) -> Iterator[tuple[KeyPath, str]]:
    """Yield the text at a path, or those of the list or table there, with their paths."""
    if node is None:
        return
    if isinstance(node.value, tuple):
        yield from (((*path, index), str(one.value)) for index, one in enumerate(node.value))
    elif node.is_table:
        yield from (((*path, name), str(one.value)) for name, one in node.items())
    else:
        yield path, str(node.value)


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
