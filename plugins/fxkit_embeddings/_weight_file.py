"""Weight files: there, and the ones that are meant."""

from __future__ import annotations

import hashlib
from pathlib import Path

from fxkit.errors import AssemblyError


def verified(path: Path, plugin: str, needed: str, prefix: str) -> str:
    """Return the SHA-256 of a weight file.

    Raises `AssemblyError` when there is no such file or its hash does not begin with `prefix`; `needed`
    says which file it should be.
    """
    if not path.is_file():
        raise AssemblyError(plugin, f"no file {path}; it needs {needed}, which is not fetched: put it there")
    digest = hashlib.sha256(path.read_bytes()).hexdigest()
    if not digest.startswith(prefix.lower()):
        reason = f"{path} has SHA-256 {digest[:16]}..., not {prefix}...; it needs {needed}"
        raise AssemblyError(plugin, reason)
    return digest
