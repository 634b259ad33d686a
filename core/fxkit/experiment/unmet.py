"""Check what an experiment needs to be there on this machine: files, folders, other packages."""

from __future__ import annotations

from collections.abc import Callable, Iterable, Iterator
from pathlib import Path

from fxkit.errors import ExperimentError, Problem
from fxkit.experiment.model import Experiment, Origin, Part
from fxkit.experiment.options import declared
from fxkit.experiment.wording import suggestion


def require(experiment: Experiment) -> None:
    """Raise `ExperimentError` with everything that plugins lack here, where each option was written.

    Apart from reading: a trained model can be loaded where what only its training needed is not there.
    Needs no torch.
    """
    problems = (*unmet(experiment), *absent(experiment))
    if problems:
        raise ExperimentError(problems)


def unmet(experiment: Experiment) -> tuple[Problem, ...]:
    """Return what plugins say that they lack here."""
    return _placed(experiment, _asked)


def absent(experiment: Experiment) -> tuple[Problem, ...]:
    """Return the files and folders that options name, of those with `opt(exists=...)`, and that are not."""
    return _placed(experiment, _missing)


def _asked(part: Part) -> Iterable[tuple[str, str]]:
    ask = getattr(part.spec, "unmet", None)
    return ask() if callable(ask) else ()


def _missing(part: Part) -> Iterator[tuple[str, str]]:
    for name, meta, path in declared(part.spec):
        if meta.exists is None or not isinstance(path, Path):
            continue
        there = path.is_dir() if meta.exists == "folder" else path.is_file()
        if not there:
            yield name, _nowhere(path, meta.exists)


def _nowhere(path: Path, wanted: str) -> str:
    other = "folder" if wanted == "file" else "file"
    if path.exists():
        return f"{path} is a {other}, not a {wanted}"
    above = next((parent for parent in path.parents if parent.is_dir()), None)
    if above is None or above == path.parent:
        near = suggestion(path.name, [one.name for one in above.iterdir()] if above else [])
        return f"no {wanted} {path}{near or '; correct the path'}"
    return f"no {wanted} {path}: of its parents only {above} is there; correct the path"


def _placed(experiment: Experiment, ask: Callable[[Part], Iterable[tuple[str, str]]]) -> tuple[Problem, ...]:
    return tuple(
        _problem(experiment, f"{part.path}.{option}", part, message)
        for part in experiment.parts()
        for option, message in ask(part)
    )


def _problem(experiment: Experiment, path: str, part: Part, message: str) -> Problem:
    origins, nowhere = experiment.origins, Origin(file=experiment.file)
    origin = origins.get(path) or origins.get(f"{part.path}.type") or nowhere
    return Problem(
        file=origin.file,
        line=origin.line,
        column=origin.column,
        path=path,
        message=message,
        via=origin.via,
    )
