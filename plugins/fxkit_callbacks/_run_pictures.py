"""Pictures of how far a run has come: its losses, and one recording against its target."""

from __future__ import annotations

from typing import TYPE_CHECKING

from fxkit.runs.journal import read_journal
from fxkit_callbacks._comparison_picture import comparison_picture
from fxkit_callbacks._figure import save
from fxkit_callbacks._loss_picture import loss_picture

if TYPE_CHECKING:
    from fxkit.engine.session import Run
    from fxkit_callbacks._clips import Clip


def draw_losses(run: Run) -> None:
    """Draw all losses of the journal."""
    records = read_journal(run.folder.journal)
    if records:
        title = f"Losses of {run.experiment.run.name} up to step {run.step}"
        save(loss_picture(records, title), run.folder.plots / "losses.png")


def draw_comparison(run: Run, clip: Clip, when: str) -> None:
    """Draw target, prediction and residual of a clip."""
    if clip.excerpt.start == clip.excerpt.stop:
        return
    figures = "  ".join(f"{name} {value:.4g}" for name, value in clip.example.metrics.items())
    picture = comparison_picture(clip.example, clip.excerpt, f"{clip.example.name}, {when}:  {figures}")
    save(picture, run.folder.plots / "comparison.png")
