"""Every error that fxkit raises on purpose; each prints as lines that name the cause and the fix."""

from __future__ import annotations

import re
from collections.abc import Sequence
from typing import Any

import attrs


class FxkitError(Exception):
    """Be the base of all errors with a message meant for the user; `exit_code` is the command's."""

    exit_code = 1


@attrs.frozen(kw_only=True)
class Problem:
    """Hold one thing that is wrong in an experiment file: where, what, and what to do.

    `via` names the files whose `extends` led to this one.
    """

    file: str
    line: int
    column: int
    path: str
    message: str
    via: str = ""

    def __str__(self) -> str:
        where = f"{self.file}:{self.line}:{self.column}" if self.line else self.file
        where = f"{where} (via {self.via})" if self.via else where
        return f"{where}  {self.path}: {self.message}" if self.path else f"{where}  {self.message}"


class ExperimentError(FxkitError):
    """Report everything that is wrong in an experiment file, sorted by place.

    `warnings` are what else there is to know of it, which alone would not keep it from running.
    """

    exit_code = 2

    def __init__(self, problems: Sequence[Problem], warnings: Sequence[Problem] = ()) -> None:
        self.problems = in_order(problems)
        self.warnings = in_order(warnings)
        super().__init__("\n".join(map(str, self.problems)))


def in_order(problems: Sequence[Problem]) -> tuple[Problem, ...]:
    """Return problems sorted by place."""
    return tuple(sorted(problems, key=_place))


def _place(problem: Problem) -> tuple[Any, ...]:
    """Return what orders problems; numbers in the names of files count as numbers."""
    file = re.sub(r"\d+", lambda number: number[0].zfill(12), problem.file)
    return (file, problem.line, problem.column, problem.path, problem.message)


class PluginError(FxkitError):
    """Report a plugin that is missing, ambiguous, disabled, broken or of another API."""

    exit_code = 2


class DataError(FxkitError):
    """Report audio that cannot be trained on: one line per defect, each naming file and fix."""

    exit_code = 3

    def __init__(self, problems: Sequence[str]) -> None:
        self.problems = tuple(problems)
        super().__init__("\n".join(self.problems))


class AssemblyError(FxkitError):
    """Report nodes that do not fit together; `path` names the table at fault."""

    exit_code = 2

    def __init__(self, path: str, message: str) -> None:
        self.path = path
        self.message = message
        super().__init__(f"{path}: {message}")

    def at(self, path: str) -> AssemblyError:
        """Return the same report about the table at `path`; a plugin knows only its own name."""
        return AssemblyError(path, f"{self.path} {self.message}")


class RunError(FxkitError):
    """Report a run that cannot start, continue or be read."""

    exit_code = 4


class NonFiniteError(RunError):
    """Report a loss that became NaN or infinite: step, term and last good checkpoint."""

    exit_code = 5
