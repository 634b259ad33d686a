"""What a run is scored on: its own recordings, losses and metrics, with others added or in their place."""

from __future__ import annotations

from collections.abc import Mapping
from typing import Any

import attrs
import tomli

from fxkit.errors import RunError
from fxkit.experiment.model import Experiment
from fxkit.experiment.reader import read_document, read_experiment
from fxkit.runs.folder import RunFolder

_SETTABLE = ("data", "losses", "metrics")
# What an experiment has beside a model; a model that was imported has none of it.
_BESIDE = ("train", "losses", "metrics")


@attrs.frozen(kw_only=True)
class Examination:
    """Say how runs are scored: which split, and what differs from their own experiments.

    `metrics` are names of plugins, or "NAME=TABLE" with a table in TOML, that are measured too. `data` is
    an experiment, by name or file, whose recordings take the place of the run's own; its losses and metrics
    count where the run has none. `settings` are "path=value" lines for [data], [losses] and [metrics].
    `embeddings` are names of plugins, "NAME=FILE" with weights, or "NAME=TABLE", by which the outputs, as a
    set, are compared with the training recordings. `stretches` is how many stretches of time each recording
    is divided into where there are few.
    """

    split: str = "test"
    metrics: tuple[str, ...] = ()
    data: str | None = None
    settings: tuple[str, ...] = ()
    embeddings: tuple[str, ...] = ()
    stretches: int = 10
    allow_local: bool = False

    def experiment(self, folder: RunFolder) -> Experiment:
        """Return the experiment whose recordings and metrics the run of a folder is scored on.

        Raises `ExperimentError` like the reader, and `RunError` for a run that has no recordings of its own
        when `data` names none, and for settings of what was trained.
        """
        overrides = [*map(_metric, self.metrics), *map(_setting, self.settings)]
        own = tomli.loads(folder.resolved.read_text(encoding="utf-8"))
        if self.data is None:
            _require_recordings(own, folder)
            return read_experiment(folder.resolved, overrides=overrides, allow_local=self.allow_local)
        other = read_experiment(self.data, overrides=overrides, allow_local=self.allow_local).resolved
        document = _joined(own, other)
        return read_document(
            document, str(folder.resolved), overrides=overrides, allow_local=self.allow_local
        )


def _metric(text: str) -> str:
    name, given, table = text.partition("=")
    return f"metrics.{name.strip()}={table.strip()}" if given else f'metrics.{name}.type="{name}"'


def _setting(text: str) -> str:
    if text.partition("=")[0].strip().split(".")[0] not in _SETTABLE:
        raise RunError(
            f"--set {text}: a model is scored as it was trained; only data, losses and metrics can be set"
        )
    return text


def _require_recordings(document: dict[str, Any], folder: RunFolder) -> None:
    if "data" not in document:
        raise RunError(
            f"{folder.path}: was imported, and there are no recordings to score it on; name an experiment"
            " whose recordings to take with --data EXPERIMENT"
        )


def _joined(own: dict[str, Any], other: Mapping[str, Any]) -> dict[str, Any]:
    beside = {} if "losses" in own else {name: other[name] for name in _BESIDE if name in other}
    return {**beside, **own, "data": other["data"]}
