"""Leave in a sweep's folder what came of it: figures, pictures, and the best experiment."""

from __future__ import annotations

import json

from fxkit.files import finite, write_text
from fxkit.runs.folder import RunFolder
from fxkit.sweeping.attempt import trial_path
from fxkit.sweeping.folder import SweepFolder
from fxkit.sweeping.plots import draw
from fxkit.sweeping.register import Register
from fxkit.sweeping.summary import Summary, summarise


def conclude(folder: SweepFolder, register: Register) -> tuple[Summary, list[str]]:
    """Write summary, pictures and the best trial's experiment; returns the summary and what is to be told."""
    sweep = register.sweep()
    summary = summarise(register, sweep)
    write_text(
        folder.summary,
        json.dumps({"fxkit": 1, **finite(summary.document())}, allow_nan=False, indent=2) + "\n",
    )
    notes = _keep_best(folder, summary)
    return summary, [*notes, *draw(summary, folder.plots)]


def _keep_best(folder: SweepFolder, summary: Summary) -> list[str]:
    if summary.best is None:
        return []
    resolved = RunFolder(trial_path(folder.path, summary.best.trial)).resolved
    if not resolved.is_file():
        return [
            f"the best trial, {summary.best.trial}, stands on {summary.best.worker}; fetch its resolved.toml"
        ]
    write_text(folder.best, resolved.read_text(encoding="utf-8"))
    return []
