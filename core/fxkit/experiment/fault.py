"""Blame a plugin, not the file, for an exception that its spec raises."""

from __future__ import annotations

from collections.abc import Callable
from typing import TypeVar

import attrs

from fxkit.experiment.report import Report
from fxkit.experiment.tree import Tree

Result = TypeVar("Result")


@attrs.frozen
class Fault:
    """Report what is wrong with a plugin at the `type` of the table that names it."""

    report: Report
    tree: Tree
    who: str

    def guarded(self, call: Callable[[], Result]) -> Result | None:
        """Return what `call` returns; None after an exception, which is reported."""
        try:
            return call()
        except Exception as error:
            self.report_error(error)
            return None

    def report_error(self, error: Exception) -> None:
        """Report an exception as the plugin's."""
        text = f"{type(error).__name__}: {error}" if str(error) else type(error).__name__
        message = f"{self.who} has a fault: {text}; tell its author"
        self.report.at_value(self.tree.get("type") or self.tree, message)
