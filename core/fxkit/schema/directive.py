"""Find the schema that an experiment file names for editors, and say when it is out of date."""

from __future__ import annotations

import pathlib
import re

from fxkit.catalog import Catalog
from fxkit.errors import Problem
from fxkit.experiment.shipped import shown
from fxkit.schema.plugin_set import marked, plugin_set

_DIRECTIVE = re.compile(r"#:schema\s+(\S+)\s*$")


def schema_warning(path: pathlib.Path, catalog: Catalog) -> Problem | None:
    """Return what is wrong with the schema that `#:schema` at the top of a file names, and how to renew it.

    None when there is no such line, when it names an address on the network, and when the schema is of
    the installed plugins.
    """
    found = _directive(path)
    if found is None:
        return None
    line, column, name = found
    if "://" in name and not name.startswith("file://"):
        return None
    file = path.absolute().parent / name.removeprefix("file://")
    state = _state(file, catalog)
    place = shown(file.parent.resolve() / file.name)
    message = f"#:schema {name} {state}; fxkit schema --out {place}"
    return Problem(file=shown(path), line=line, column=column, path="", message=message) if state else None


def _directive(path: pathlib.Path) -> tuple[int, int, str] | None:
    """Return line, column and text of what `#:schema` names among the comments that a file starts with."""
    with path.open(encoding="utf-8", errors="replace") as file:
        for number, line in enumerate(file, 1):
            if line.strip() and not line.startswith("#"):
                return None
            match = _DIRECTIVE.match(line)
            if match:
                return number, match.start(1) + 1, match[1]
    return None


def _state(file: pathlib.Path, catalog: Catalog) -> str:
    if not file.is_file():
        return "is missing"
    digest = marked(file)
    if digest is None:
        return "was not written by fxkit schema"
    return "" if digest == plugin_set(catalog) else "is of other plugins than those that are installed"
