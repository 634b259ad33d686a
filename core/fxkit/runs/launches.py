"""Remember which run folder a launch of several workers has, so that it is found after a restart."""

from __future__ import annotations

import hashlib
from pathlib import Path

from fxkit.cache_folder import cache_folder
from fxkit.files import write_text
from fxkit.launch import Launch
from fxkit.runs.folder import RunFolder


def remember(launch: Launch, folder: RunFolder) -> None:
    """Note the run folder of a launch."""
    write_text(_note(launch), f"{folder.path.resolve()}\n")


def recalled(launch: Launch) -> Path | None:
    """Return the run folder that the workers had before they were started again, if they had one."""
    note = _note(launch)
    if not launch.restarts or not note.is_file():
        return None
    path = Path(note.read_text(encoding="utf-8").strip())
    return path if RunFolder(path).resolved.is_file() else None


def forget(launch: Launch) -> None:
    """Drop the note of a launch that is over."""
    _note(launch).unlink(missing_ok=True)


def _note(launch: Launch) -> Path:
    return cache_folder() / "launches" / hashlib.sha256(launch.key.encode()).hexdigest()[:32]
