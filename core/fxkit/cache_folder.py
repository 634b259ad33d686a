"""Say where things are kept that can be made again: features, decoded audio."""

from __future__ import annotations

import os
from pathlib import Path


def cache_folder() -> Path:
    """Return where they are kept: FXKIT_CACHE, or "fxkit" in the user's cache folder."""
    chosen = os.environ.get("FXKIT_CACHE")
    base = os.environ.get("XDG_CACHE_HOME") or str(Path.home() / ".cache")
    return Path(chosen) if chosen else Path(base) / "fxkit"
