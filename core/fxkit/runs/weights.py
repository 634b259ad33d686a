"""Find the weights that a run folder was made for."""

from __future__ import annotations

from pathlib import Path

import tomli

from fxkit.errors import RunError
from fxkit.runs.folder import RunFolder


def weights_path(folder: RunFolder) -> Path:
    """Return the checkpoint with the best weights, or the last where those were kept.

    Raises `RunError` when there is none yet.
    """
    document = tomli.loads(folder.resolved.read_text(encoding="utf-8"))
    keep = document.get("train", {}).get("keep", "best")
    if keep == "best" and folder.best.is_file():
        return folder.best
    if folder.last.is_file():
        return folder.last
    raise RunError(f"{folder.path}: has no weights yet; continue it with: fxkit run --resume {folder.path}")
