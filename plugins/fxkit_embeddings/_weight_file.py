"""Weight files: there, and the ones that are meant."""

from __future__ import annotations

import hashlib
from pathlib import Path

from fxkit.errors import AssemblyError

_CHUNK = 1 << 22


def fault(path: Path, needed: str, prefix: str) -> str | None:
    """Return what is wrong with a weight file, or None; `needed` says which file it should be.

    It has to exist, and its SHA-256 to begin with `prefix`.
    """
    if not path.is_file():
        return f"no file {path}; it needs {needed}, which is not fetched: put it there"
    found = digest(path) if prefix else ""
    if not found.startswith(prefix.lower()):
        return f"{path} has SHA-256 {found[:16]}..., not {prefix}...; it needs {needed}"
    return None


def digest(path: Path) -> str:
    """Return the SHA-256 of a file, as hexadecimal digits."""
    found = hashlib.sha256()
    with path.open("rb") as stream:
        while chunk := stream.read(_CHUNK):
            found.update(chunk)
    return found.hexdigest()


def verified(path: Path, plugin: str, needed: str, prefix: str) -> str:
    """Return the SHA-256 of a weight file; raises `AssemblyError` with what `fault` finds."""
    wrong = fault(path, needed, prefix)
    if wrong:
        raise AssemblyError(plugin, wrong)
    return digest(path)
