"""Choose the values at a path, and show each with where it came from."""

from __future__ import annotations

from collections.abc import Sequence

from fxkit.config.entries import Entry
from fxkit.errors import ExperimentError, Problem
from fxkit.experiment.positions import dotted
from fxkit.experiment.wording import suggestion


def select(found: Sequence[Entry], paths: Sequence[str], file: str) -> list[Entry]:
    """Return the values at any of the paths and below them; all of them when there is no path.

    Raises `ExperimentError` for a path at which there is nothing, with the nearest one.
    """
    given = [one for one in found if one.value is not None]
    empty = [one.name for one in found if one.value is None]
    names = [dotted(one.path[:end]) for one in given for end in range(1, len(one.path) + 1)]
    known = list(dict.fromkeys(names))
    problems = [
        Problem(file=file, line=0, column=0, path=path, message=_nothing(path, known, empty))
        for path in paths
        if path not in known
    ]
    if problems:
        raise ExperimentError(problems)
    return [one for one in given if not paths or any(_is_below(one.name, path) for path in paths)]


def _nothing(path: str, known: Sequence[str], empty: Sequence[str]) -> str:
    if path in empty:
        return "is left out, and has no default"
    return f"there is nothing{suggestion(path, [*known, *empty])}"


def _is_below(name: str, path: str) -> bool:
    return name == path or name.startswith((f"{path}.", f"{path}["))
