"""Check what the plugins of an experiment need to be there on this machine: files, other packages."""

from __future__ import annotations

from collections.abc import Iterator

from fxkit.errors import ExperimentError, Problem
from fxkit.experiment.model import Experiment, Origin, Part


def require(experiment: Experiment) -> None:
    """Raise `ExperimentError` with everything that plugins lack here, where each option was written.

    Apart from reading: a trained model can be loaded where what only its training needed is not there.
    Needs no torch.
    """
    problems = [problem for part in experiment.parts() for problem in _unmet(experiment, part)]
    if problems:
        raise ExperimentError(problems)


def _unmet(experiment: Experiment, part: Part) -> Iterator[Problem]:
    ask = getattr(part.spec, "unmet", None)
    for option, message in ask() if callable(ask) else ():
        path = f"{part.path}.{option}"
        nowhere = Origin(file=experiment.file)
        origin = experiment.origins.get(path) or experiment.origins.get(f"{part.path}.type") or nowhere
        yield Problem(
            file=origin.file,
            line=origin.line,
            column=origin.column,
            path=path,
            message=message,
            via=origin.via,
        )
