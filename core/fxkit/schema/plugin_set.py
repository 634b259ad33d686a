"""Identify the installed plugins by a digest, and find it again in a schema that was written with it."""

from __future__ import annotations

import hashlib
import pathlib
import re

from fxkit.catalog import Catalog

# Raised when the shape of the schema changes, so that files written before count as stale.
SHAPE = 1
_MARK = "fxkit plugin set "
_HEAD = 2000
_FOUND = re.compile(rf"{_MARK}([0-9a-f]{{16}})")


def plugin_set(catalog: Catalog) -> str:
    """Return 16 hex digits that change with the names and versions of the installed plugins.

    Whether one is switched off does not count.
    """
    rows = sorted((one.kind, one.name, one.dist, one.version, str(one.api)) for one in catalog.entries)
    text = "\n".join("\t".join(row) for row in [(str(SHAPE),), *rows])
    return hashlib.sha256(text.encode()).hexdigest()[:16]


def mark(digest: str) -> str:
    """Return the words that hold a digest in a schema."""
    return f"{_MARK}{digest}"


def marked(path: pathlib.Path) -> str | None:
    """Return the digest that a schema file holds; None when it holds none."""
    with path.open(encoding="utf-8", errors="replace") as file:
        found = _FOUND.search(file.read(_HEAD))
    return found[1] if found else None
