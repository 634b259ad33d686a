"""Use fxkit from Python: run an experiment, load a trained model, process and stream audio."""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from pathlib import Path
from typing import Any

import tomli_w

from fxkit.experiment.reader import read_experiment
from fxkit.exporting import export_run
from fxkit.importing import import_file
from fxkit.job import run_experiment
from fxkit.run_end import RunResult
from fxkit.runs.folder import open_folder
from fxkit.runs.progress import Progress, Silent
from fxkit.trained import Trained, load

__all__ = ["RunResult", "Trained", "export", "import_model", "load", "run"]


def run(
    source: str | Path,
    settings: Mapping[str, Any] | Sequence[str] = (),
    *,
    out: str | Path | None = None,
    device: str | None = None,
    resume: bool = False,
    allow_local: bool = False,
    trace_hooks: bool = False,
    progress: Progress | None = None,
) -> RunResult:
    """Train an experiment and return its result.

    `source` is a file or the name of a shipped experiment; with `resume` it is a run folder.
    `settings` are the values of --set: a mapping {"train.steps": 500} or lines "train.steps=500".
    With `trace_hooks` the journal ends with who took how long, and `progress` is told.
    Raises `FxkitError` (`ExperimentError`, `DataError`, ...) with a message meant for people.
    """
    shown = progress or Silent()
    if resume:
        folder = open_folder(Path(source))
        experiment = read_experiment(folder.resolved, allow_local=allow_local)
        return run_experiment(
            experiment, progress=shown, device=device, resume=folder, trace_hooks=trace_hooks
        )
    experiment = read_experiment(source, overrides=override_lines(settings), allow_local=allow_local)
    target = None if out is None else Path(out)
    return run_experiment(experiment, progress=shown, device=device, out=target, trace_hooks=trace_hooks)


def import_model(
    path: str | Path,
    settings: Mapping[str, Any] | Sequence[str] = (),
    *,
    importer: str | None = None,
    out: str | Path | None = None,
) -> Trained:
    """Take over a model that another program trained: write it as a run folder, and load that.

    `importer` is the plugin that reads the file, found from the file by default, and `settings` are its
    options. Raises `DataError` that names the file and what in it cannot be read.
    """
    target = None if out is None else Path(out)
    folder = import_file(Path(path), out=target, importer=importer, settings=override_lines(settings))
    return load(folder.path)


def export(
    run: str | Path,
    to: str,
    settings: Mapping[str, Any] | Sequence[str] = (),
    *,
    out: str | Path | None = None,
    allow_local: bool = False,
) -> tuple[Path, ...]:
    """Write the model of a run folder by the exporter plugin `to`, and return the files.

    `settings` are the exporter's options. Raises `FxkitError` for what it cannot write.
    """
    target = None if out is None else Path(out)
    return export_run(Path(run), to, out=target, settings=override_lines(settings), allow_local=allow_local)


def override_lines(settings: Mapping[str, Any] | Sequence[str]) -> tuple[str, ...]:
    """Turn a mapping of settings into the lines of --set."""
    if isinstance(settings, Mapping):
        return tuple(f"{path}={_toml_value(value)}" for path, value in settings.items())
    return tuple(settings)


def _toml_value(value: Any) -> str:
    plain = str(value) if isinstance(value, Path) else value
    return tomli_w.dumps({"x": plain}).removeprefix("x = ").strip()
