"""Use fxkit from Python: run an experiment, load a trained model, process and stream audio."""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from pathlib import Path
from typing import Any

import tomli_w

from fxkit.engine.job import RunResult, run_experiment
from fxkit.experiment.reader import read_experiment
from fxkit.runs.folder import open_folder
from fxkit.runs.progress import Progress, Silent
from fxkit.trained import Trained, load

__all__ = ["RunResult", "Trained", "load", "run"]


def run(
    source: str | Path,
    settings: Mapping[str, Any] | Sequence[str] = (),
    *,
    out: str | Path | None = None,
    device: str | None = None,
    resume: bool = False,
    allow_local: bool = False,
    progress: Progress | None = None,
) -> RunResult:
    """Train an experiment and return its result.

    `source` is a file or the name of a shipped experiment; with `resume` it is a run folder.
    `settings` are the values of --set: a mapping {"train.steps": 500} or lines "train.steps=500".
    Raises `FxkitError` (`ExperimentError`, `DataError`, ...) with a message meant for people.
    """
    shown = progress or Silent()
    if resume:
        folder = open_folder(Path(source))
        experiment = read_experiment(folder.resolved, allow_local=allow_local)
        return run_experiment(experiment, progress=shown, device=device, resume=folder)
    experiment = read_experiment(source, overrides=override_lines(settings), allow_local=allow_local)
    return run_experiment(experiment, progress=shown, device=device, out=None if out is None else Path(out))


def override_lines(settings: Mapping[str, Any] | Sequence[str]) -> tuple[str, ...]:
    """Turn a mapping of settings into the lines of --set."""
    if isinstance(settings, Mapping):
        return tuple(f"{path}={_toml_value(value)}" for path, value in settings.items())
    return tuple(settings)


def _toml_value(value: Any) -> str:
    plain = str(value) if isinstance(value, Path) else value
    return tomli_w.dumps({"x": plain}).removeprefix("x = ").strip()
