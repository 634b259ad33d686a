"""The folder of a sweep: where its trials, its register and its summary stand."""

from __future__ import annotations

import json
from collections.abc import Iterator
from datetime import datetime
from pathlib import Path

import attrs

from fxkit.errors import RunError
from fxkit.files import write_text
from fxkit.sweeping.optuna_parts import open_storage, safe_url, sqlite_url
from fxkit.sweeping.register import Register

NAME = "sweep.json"
_HIDDEN = "***"
_HERE = "sqlite"


@attrs.frozen
class SweepFolder:
    """Name the places in the folder of a sweep."""

    path: Path

    @property
    def note(self) -> Path:
        """Return what says which sweep it is of."""
        return self.path / NAME

    @property
    def best(self) -> Path:
        """Return the resolved experiment of the best trial."""
        return self.path / "best.toml"

    @property
    def summary(self) -> Path:
        """Return the figures of all trials."""
        return self.path / "summary.json"

    @property
    def plots(self) -> Path:
        """Return the folder of pictures."""
        return self.path / "plots"

    def open_register(self, url: str | None) -> Register:
        """Open the register that the note names; `url` is needed where that has a password.

        Raises `RunError` when this is no folder of a sweep.
        """
        try:
            note = json.loads(self.note.read_text(encoding="utf-8"))
            name, there, heartbeat = str(note["sweep"]), str(note["storage"]), int(note["heartbeat"])
        except FileNotFoundError as error:
            raise RunError(f"{self.path}: not the folder of a sweep (it has no {NAME})") from error
        except (OSError, ValueError, KeyError, TypeError) as error:
            raise RunError(
                f"{self.note}: damaged ({error}); go on by the command that began the sweep"
            ) from error
        if url is None and _HIDDEN in there:
            raise RunError(f"{self.note}: passwords are not kept there; add --storage {there}")
        return self._register(name, url or (None if there == _HERE else there), heartbeat)

    def new_register(self, name: str, url: str | None, heartbeat: int) -> Register:
        """Open a register and note it; `url` None stands for a file of SQLite in the folder.

        Raises `RunError` when the folder is something else, or cannot be written.
        """
        if self.path.exists() and not self.note.is_file() and any(self._others()):
            raise RunError(f"{self.path}: exists already and is no folder of a sweep; choose another --name")
        shown = _HERE if url is None else safe_url(url)
        try:
            content = {"fxkit": 1, "sweep": name, "storage": shown, "heartbeat": heartbeat}
            write_text(self.note, json.dumps(content, indent=2) + "\n")
        except OSError as error:
            raise RunError(f"{self.path}: cannot be written ({error.strerror})") from error
        return self._register(name, url, heartbeat)

    def _others(self) -> Iterator[Path]:
        # The note is written beside itself first.
        return (path for path in self.path.iterdir() if not path.name.startswith(f".{NAME}."))

    def _register(self, name: str, url: str | None, heartbeat: int) -> Register:
        url = url or sqlite_url(self.path / "study.sqlite")
        # SQLite does not keep two workers from taking the same trial; servers do.
        lock = self.path / "lock.sqlite" if url.startswith("sqlite") else None
        from fxkit.sweeping.alone import alone

        with alone(lock):
            storage = open_storage(url, heartbeat)
        return Register(name, storage, heartbeat, lock)


def new_folder(name: str | None, run: str, root: Path = Path("runs")) -> SweepFolder:
    """Return the folder of the sweep `name`, or of a new one that is called after a run and the time."""
    stamp = datetime.now().strftime("%Y%m%d-%H%M%S")
    if name is not None and (
        not name.strip() or name.startswith(".") or any(sign in name for sign in "/\\\0")
    ):
        raise RunError(f'--name "{name}" cannot name a folder; leave out slashes and a leading dot')
    return SweepFolder(root / (name or f"{run}-sweep-{stamp}"))
