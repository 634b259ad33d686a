"""Check what only several tables together can get wrong."""

from __future__ import annotations

from fxkit.experiment.draft import Draft
from fxkit.experiment.report import Report


def crosscheck(found: Draft, report: Report) -> None:
    """Report names that lead nowhere, parts that nothing uses, and parts that do not fit."""
