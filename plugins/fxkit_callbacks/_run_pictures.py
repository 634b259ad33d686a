"""Pictures of how far a run has come, drawn into files."""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from pathlib import Path
from typing import Any

from fxkit.figure import save
from fxkit_callbacks._comparison_picture import comparison_picture
from fxkit_callbacks._excerpt import Array, Excerpt
from fxkit_callbacks._loss_picture import loss_picture


def draw_losses(path: Path, records: Sequence[Mapping[str, Any]], title: str) -> None:
    """Draw all losses of a journal."""
    save(loss_picture(records, title), path)


def draw_comparison(
    path: Path, signals: Mapping[str, Array], excerpt: Excerpt, title: str, note: str
) -> None:
    """Draw target, prediction and residual of an excerpt."""
    save(comparison_picture(signals, excerpt, title, note), path)
