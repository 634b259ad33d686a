"""The `checkpoint` callback: save the training state as the run goes."""

from __future__ import annotations

import re
from pathlib import Path
from typing import TYPE_CHECKING

import attrs

from fxkit.hooks import hookimpl
from fxkit.spec import opt

if TYPE_CHECKING:
    from fxkit.context import BuildContext
    from fxkit.engine.session import Run


@attrs.frozen(kw_only=True)
class Checkpoint:
    """Save the training state every so many steps, so that a run that was cut off can go on.

    checkpoints/last.pt is always the newest; --resume starts from it. The newest `keep` states stay
    as checkpoints/step-NNNNNN.pt as well; to go back to one, copy it over last.pt.
    """

    every: int = opt(500, unit="steps", ge=1, help="steps between saved states")
    keep: int = opt(2, ge=0, help="numbered states that are kept beside last.pt")

    def build(self, ctx: BuildContext) -> Saver:
        """Build the callback."""
        return Saver(self.every, self.keep)


class Saver:
    """Ask for the state to be saved, and remove old numbered states once newer ones are on disk."""

    def __init__(self, every: int, keep: int) -> None:
        self.every = every
        self.keep = keep
        self._asked = False

    @hookimpl
    def fx_step_end(self, run: Run, step: int) -> None:
        """Ask for a save when one is due; the kernel writes it after this step's hooks."""
        self._prune(run)
        if step % self.every:
            return
        if self.keep:
            # Before last.pt: a run killed in between resumes ahead of this step and writes both again.
            run.request_save(run.folder.checkpoints / f"step-{step:06d}.pt")
        run.request_save()
        self._asked = True

    @hookimpl
    def fx_close(self, run: Run) -> None:
        """Remove what the last save left behind."""
        self._prune(run)

    def _prune(self, run: Run) -> None:
        if not self._asked:
            return
        self._asked = False
        for path in numbered(run.folder.checkpoints, run.step)[: -self.keep or None]:
            path.unlink(missing_ok=True)


def numbered(folder: Path, step: int) -> list[Path]:
    """Return the numbered states of `folder` up to `step`, oldest first.

    Later ones belong to a future that a run set back to an older state has left.
    """
    found = ((re.fullmatch(r"step-(\d+)\.pt", path.name), path) for path in folder.glob("step-*.pt"))
    steps = sorted((int(match[1]), path) for match, path in found if match)
    return [path for number, path in steps if number <= step]
