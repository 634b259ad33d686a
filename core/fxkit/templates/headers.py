"""Read the headers of many audio files: rate, channels, length; never their samples."""

from __future__ import annotations

from collections.abc import Callable, Iterable
from pathlib import Path

import attrs

from fxkit.errors import DataError


@attrs.frozen(kw_only=True)
class Header:
    """Hold what a file's header says: `rate` in Hz, `channels`, `frames` (samples per channel)."""

    path: Path
    rate: int
    channels: int
    frames: int

    @property
    def seconds(self) -> float:
        """Return the duration."""
        return self.frames / self.rate


def read_headers(paths: Iterable[Path], progress: Callable[[int], object]) -> dict[Path, Header]:
    """Read the header of each file; `progress` is told how many are done.

    Raises `DataError` with a line for each file that is not audio.
    """
    found: dict[Path, Header] = {}
    problems: list[str] = []
    for number, path in enumerate(paths, 1):
        header = _read(path)
        if isinstance(header, Header):
            found[path] = header
        else:
            problems.append(header)
        progress(number)
    if problems:
        raise DataError(problems)
    return found


def _read(path: Path) -> Header | str:
    import soundfile

    try:
        info = soundfile.info(path)
    except soundfile.LibsndfileError as error:
        reason = error.error_string.rstrip(".").lower()
        return f"{path}: is not readable as audio ({reason}); export it again, or remove it"
    if info.frames == 0:
        return f"{path}: holds no samples; export it again, or remove it"
    return Header(path=path, rate=info.samplerate, channels=info.channels, frames=info.frames)
