"""The run folder: where everything that a run leaves behind stands."""

from __future__ import annotations

from datetime import datetime
from pathlib import Path

import attrs
import tomli

from fxkit.errors import RunError


@attrs.frozen
class RunFolder:
    """Name the places in a run folder."""

    path: Path

    @property
    def resolved(self) -> Path:
        """Return the experiment with every default written out."""
        return self.path / "resolved.toml"

    @property
    def lock(self) -> Path:
        """Return the record of versions, hashes and data."""
        return self.path / "lock.toml"

    @property
    def journal(self) -> Path:
        """Return the metrics, one JSON object per line."""
        return self.path / "metrics.jsonl"

    @property
    def results(self) -> Path:
        """Return the final figures."""
        return self.path / "results.json"

    @property
    def running(self) -> Path:
        """Return the note that a process works on the run, as long as one does."""
        return self.path / "running.json"

    @property
    def checkpoints(self) -> Path:
        """Return the folder of checkpoints."""
        return self.path / "checkpoints"

    @property
    def last(self) -> Path:
        """Return the newest full training state."""
        return self.checkpoints / "last.pt"

    @property
    def best(self) -> Path:
        """Return the weights with the best validation."""
        return self.checkpoints / "best.pt"

    @property
    def audio(self) -> Path:
        """Return the folder of rendered audio."""
        return self.path / "audio"

    @property
    def plots(self) -> Path:
        """Return the folder of pictures."""
        return self.path / "plots"

    @property
    def report(self) -> Path:
        """Return the page that tells what the run was worth."""
        return self.path / "report.html"

    @property
    def tensorboard(self) -> Path:
        """Return the folder of TensorBoard events."""
        return self.path / "tensorboard"

    @property
    def profile(self) -> Path:
        """Return the folder of profiles: traces and tables of what takes time."""
        return self.path / "profile"


def free_path(name: str, out: Path | None = None, root: Path = Path("runs")) -> Path:
    """Choose where a new run will stand: `out`, or runs/NAME-DATE-TIME; nothing is written.

    Raises `RunError` when `out` exists and holds anything.
    """
    path = out if out is not None else _dated(root, name)
    if path.exists() and (not path.is_dir() or any(path.iterdir())):
        raise RunError(f"{path}: exists already; choose another --out, or continue it with --resume {path}")
    return path


def create_folder(path: Path) -> RunFolder:
    """Create the folder of a new run.

    Raises `RunError` when it cannot be created.
    """
    try:
        path.mkdir(parents=True, exist_ok=True)
    except OSError as error:
        raise RunError(f"{path}: cannot be created ({error.strerror}); choose another --out") from error
    return RunFolder(path)


def _dated(root: Path, name: str) -> Path:
    stamp = datetime.now().strftime("%Y%m%d-%H%M%S")
    candidates = (root / f"{name}-{stamp}{suffix}" for suffix in ("", *(f"-{n}" for n in range(2, 1000))))
    return next(path for path in candidates if not path.exists())


def open_folder(path: Path) -> RunFolder:
    """Open the folder of an existing run.

    Raises `RunError` when it is not one, or when its resolved.toml cannot be read.
    """
    folder = RunFolder(path)
    if not path.is_dir():
        raise RunError(f"{path}: no such run folder")
    if not folder.resolved.is_file():
        raise RunError(f"{path}: not a run folder (it has no resolved.toml)")
    try:
        tomli.loads(folder.resolved.read_text(encoding="utf-8"))
    except (tomli.TOMLDecodeError, UnicodeDecodeError) as error:
        raise RunError(f"{folder.resolved}: damaged ({error})") from error
    return folder
