"""Let one process at a time do something, on any file system that SQLite works on."""

from __future__ import annotations

import sqlite3
from collections.abc import Iterator
from contextlib import closing, contextmanager
from pathlib import Path

_PATIENCE = 120.0


@contextmanager
def alone(path: Path | None) -> Iterator[None]:
    """Wait until no other process is inside a block of the same path; None never waits.

    A process that dies inside lets the next one in.
    """
    if path is None:
        yield
        return
    with closing(sqlite3.connect(path, timeout=_PATIENCE, isolation_level=None)) as lock:
        lock.execute("BEGIN EXCLUSIVE")
        yield
        lock.execute("ROLLBACK")
