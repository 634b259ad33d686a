"""A file of whole lines that grows: never half a line, and set back to where a resumed run goes on."""

from __future__ import annotations

import os
from collections.abc import Callable, Iterable
from io import FileIO
from pathlib import Path

from fxkit.errors import RunError
from fxkit.files import write_atomically


class RowFile:
    """Append rows behind a header, which may be empty; `rows` is what a saved state of the run counts."""

    def __init__(self) -> None:
        self.rows = 0
        self._path: Path | None = None
        self._stream: FileIO | None = None

    @property
    def is_open(self) -> bool:
        """Tell whether rows can be added."""
        return self._stream is not None

    def open(self, path: Path, header: bytes, fit: Callable[[list[bytes]], list[bytes]]) -> None:
        """Open the file, and drop all but its first `rows` rows; `fit` makes those fit the header."""
        self._path = path
        lines = path.read_bytes().splitlines(keepends=True) if path.is_file() else []
        rows = lines[1:] if header else lines
        kept = [row for row in rows[: self.rows] if row.endswith(b"\n")]
        self.rows = len(kept)
        self._put(header, fit(kept))

    def refit(self, header: bytes, fit: Callable[[list[bytes]], list[bytes]]) -> None:
        """Give the file another header, and rows that fit it."""
        assert self._path is not None
        self._put(header, fit(self._path.read_bytes().splitlines(keepends=True)[1:]))

    def _put(self, header: bytes, rows: list[bytes]) -> None:
        assert self._path is not None
        self.close()
        content = b"".join((header, *rows))
        write_atomically(self._path, lambda stream: stream.write(content))
        self._stream = FileIO(self._path, "a")

    def append(self, lines: list[bytes]) -> None:
        """Add lines; where the disk takes a part of them only, none stays."""
        assert self._stream is not None
        whole, content = os.fstat(self._stream.fileno()).st_size, b"".join(lines)
        try:
            written = self._stream.write(content)
            if written != len(content):
                raise OSError(f"{self._path}: the disk took {written} of {len(content)} bytes")
        except OSError:
            os.ftruncate(self._stream.fileno(), whole)
            raise
        self.rows += len(lines)

    def close(self) -> None:
        """Close the file."""
        if self._stream is not None:
            self._stream.close()
        self._stream = None


def path_inside(folder: Path, name: str, taken: Iterable[Path], option: str) -> Path:
    """Return the path of a file in the run folder.

    Raises `RunError` for one outside of it, and for one of the kernel's own.
    """
    path = Path(os.path.normpath(folder / name))
    if folder not in path.parents:
        raise RunError(f'{option}: "{name}" is not inside the run folder; give a name such as "log.csv"')
    if any(path == other or other in path.parents for other in taken):
        raise RunError(f'{option}: "{name}" belongs to fxkit; choose another name')
    return path
