"""Write files so that a reader never sees half of one."""

from __future__ import annotations

import json
import math
import os
import tempfile
from collections.abc import Callable, Mapping
from pathlib import Path
from typing import IO, Any

_PART = ".part"


def write_atomically(path: Path, write: Callable[[IO[bytes]], object]) -> None:
    """Let `write` fill a temporary file beside `path`, flush it to disk, and put it in place.

    On any error the temporary file is removed and `path` stays as it was.
    """
    path.parent.mkdir(parents=True, exist_ok=True)
    handle, temporary = tempfile.mkstemp(dir=path.parent, prefix=f".{path.name}.", suffix=_PART)
    try:
        with os.fdopen(handle, "wb") as stream:
            write(stream)
            stream.flush()
            os.fsync(stream.fileno())
        os.chmod(temporary, 0o644)
        os.replace(temporary, path)
    except BaseException:
        os.unlink(temporary)
        raise


def remove_parts(folder: Path) -> None:
    """Remove what writes that were cut off, by a kill or a power cut, left in a folder."""
    for part in folder.rglob(f".*{_PART}"):
        part.unlink()


def write_text(path: Path, text: str) -> None:
    """Write UTF-8 text atomically."""
    write_atomically(path, lambda stream: stream.write(text.encode()))


def strict_json(value: Any) -> str:
    """Write one line of JSON; raises `ValueError` on NaN and infinities, which JSON does not have."""
    return json.dumps(value, allow_nan=False, ensure_ascii=False)


def finite(value: Any) -> Any:
    """Return plain values with None, JSON's null, for every number that is NaN or infinite."""
    if isinstance(value, Mapping):
        return {name: finite(entry) for name, entry in value.items()}
    return None if isinstance(value, float) and not math.isfinite(value) else value
