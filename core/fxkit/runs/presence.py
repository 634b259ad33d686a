"""Tell whether somebody works on a run: a note in its folder that lasts as long as the process does."""

from __future__ import annotations

import json
import os
import socket
from pathlib import Path
from typing import Any

from fxkit.files import strict_json, write_text
from fxkit.runs.folder import RunFolder


def announce(folder: RunFolder) -> None:
    """Note that this process works on the run."""
    write_text(folder.running, strict_json({"host": socket.gethostname(), "pid": os.getpid()}) + "\n")


def withdraw(folder: RunFolder) -> None:
    """Take the note away."""
    folder.running.unlink(missing_ok=True)


def presence(folder: RunFolder) -> str:
    """Return "running", "killed" when the process of the note is gone, or "" without a note.

    What runs on another machine is taken to run on.
    """
    try:
        note: dict[str, Any] = json.loads(folder.running.read_text(encoding="utf-8"))
    except (OSError, ValueError):
        return ""
    return "running" if note.get("host") != socket.gethostname() or _lives(note.get("pid")) else "killed"


def _lives(pid: Any) -> bool:
    if not isinstance(pid, int) or pid < 1:
        return False
    if Path("/proc/self").exists():
        return Path(f"/proc/{pid}").exists()
    try:
        os.kill(pid, 0)
    except ProcessLookupError:
        return False
    except OSError:
        return True
    return True
