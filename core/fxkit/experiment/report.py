"""Collect everything that is wrong in an experiment file before anything is raised."""

from __future__ import annotations

import attrs

from fxkit.errors import ExperimentError, Problem
from fxkit.experiment.model import Origin
from fxkit.experiment.positions import KeyPath, dotted
from fxkit.experiment.tree import Tree


@attrs.frozen
class Report:
    """Gather problems, and warnings beside them; the same one counts once."""

    problems: list[Problem] = attrs.field(factory=list)
    warnings: list[Problem] = attrs.field(factory=list)

    @property
    def mild(self) -> Report:
        """Return a report for what does not keep an experiment from running: it gathers warnings."""
        return Report(self.warnings, self.warnings)

    def add(self, origin: Origin, path: KeyPath | str, message: str) -> None:
        """Note what is wrong at a place of the file."""
        problem = Problem(
            file=origin.file,
            line=origin.line,
            column=origin.column,
            path=path if isinstance(path, str) else dotted(path),
            message=message,
            via=origin.via,
        )
        if problem not in self.problems:
            self.problems.append(problem)

    def knows(self, tree: Tree) -> bool:
        """Tell whether something wrong with a value was noted already."""
        place = (tree.mark.value.file, tree.mark.value.line, tree.mark.value.column, dotted(tree.mark.path))
        return any((one.file, one.line, one.column, one.path) == place for one in self.problems)

    def at_value(self, tree: Tree, message: str) -> None:
        """Note what is wrong with a value."""
        self.add(tree.mark.value, tree.mark.path, message)

    def at_key(self, tree: Tree, message: str) -> None:
        """Note what is wrong with a value's being there."""
        self.add(tree.mark.key, tree.mark.path, message)

    def at_table(self, tree: Tree, message: str) -> None:
        """Note what is wrong with a table as a whole, shown by its header."""
        self.add(tree.mark.value, header(tree.mark.path), message)

    def raise_if_any(self) -> None:
        """Raise `ExperimentError` with all problems, or return when there are none."""
        if self.problems:
            raise ExperimentError(self.problems, self.warnings)


def header(path: KeyPath) -> str:
    """Write a table's path as its header: "[nodes.amp]"."""
    return f"[{dotted(path)}]"
