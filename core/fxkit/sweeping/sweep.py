"""What a sweep is: an experiment, what varies in it, how values are chosen, and what is best."""

from __future__ import annotations

import hashlib
import itertools
import os
from collections.abc import Iterator, Mapping
from pathlib import Path
from typing import Any

import attrs

from fxkit.catalog import Catalog
from fxkit.errors import RunError
from fxkit.experiment.model import Experiment
from fxkit.experiment.reader import read_experiment
from fxkit.sweeping.axes import Axis, axis_of, canonical

SEED = "run.seed"


@attrs.frozen(kw_only=True)
class Sweep:
    """Hold what a sweep is; every worker has the same.

    `run` is the name that the experiment gives its runs. `settings` are laid over it in every trial, and
    `trials` is how many there are. `metric` is a loss or metric of the validation, of which more is better
    where `higher`. `heartbeat` are the seconds between a worker's signs of life. `digest` is of the first
    variant, to notice a file that was changed meanwhile; `steps` are its training steps, where it counts
    them, and `every` those between its validations.
    """

    experiment: str
    run: str = ""
    settings: tuple[str, ...] = ()
    axes: tuple[Axis, ...]
    sampler: str = "grid"
    pruner: str = "none"
    trials: int
    seed: int = 0
    heartbeat: int = 15
    metric: str = "loss"
    higher: bool = False
    digest: str = ""
    steps: int | None = None
    every: int = 1
    allow_local: bool = False
    no_plugins: bool = False

    def document(self) -> dict[str, Any]:
        """Return it as JSON holds it."""
        plain = attrs.asdict(self, recurse=False)
        return {**plain, "settings": list(self.settings), "axes": [axis.document() for axis in self.axes]}

    def texts(self, values: Mapping[str, Any]) -> dict[str, str]:
        """Return path -> TOML of values as they were drawn, in the order of the axes."""
        return {axis.path: axis.text(values[axis.path]) for axis in self.axes}


def sweep_of(document: Mapping[str, Any]) -> Sweep:
    """Return the sweep that `document()` wrote."""
    axes = tuple(axis_of(axis) for axis in document["axes"])
    return Sweep(**{**document, "settings": tuple(document["settings"]), "axes": axes})


def refuse_other(there: Sweep, asked: Sweep, where: str) -> None:
    """Raise `RunError` when a sweep of that name exists and is another one."""
    # Where the file stands differs from machine to machine; what it holds does not.
    then, now = ({**one.document(), "experiment": Path(one.experiment).name} for one in (there, asked))
    differing = [key for key in then if canonical(then[key]) != canonical(now[key])]
    if not differing:
        return
    key = differing[0]
    if key == "digest":
        raise RunError(
            f"{where}: {asked.experiment} has changed since this sweep began; choose another --name"
        )
    shown = f"{key} was {canonical(then[key])} and is {canonical(now[key])} now"
    raise RunError(f"{where}: there is another sweep of that name ({shown}); choose another --name")


def products(axes: tuple[Axis, ...]) -> Iterator[dict[str, str]]:
    """Return every combination of the values to check, the last axis fastest."""
    for combination in itertools.product(*(axis.probes() for axis in axes)):
        yield {axis.path: value for axis, value in zip(axes, combination, strict=True)}


def overrides_of(sweep: Sweep, values: Mapping[str, str]) -> tuple[str, ...]:
    """Return the --set texts of a variant."""
    return (*sweep.settings, *(f"{path}={text}" for path, text in values.items()))


def read_variant(sweep: Sweep, values: Mapping[str, str], catalog: Catalog | None = None) -> Experiment:
    """Read the experiment with some values, as --set reads them.

    Raises `ExperimentError` with everything that is wrong.
    """
    return read_experiment(
        sweep.experiment,
        overrides=overrides_of(sweep, values),
        catalog=catalog or Catalog.installed(in_tree_only=sweep.no_plugins),
        allow_local=sweep.allow_local,
    )


def digest_of(experiment: Experiment) -> str:
    """Return the SHA-256 of a resolved experiment, in which of absolute paths the last part counts."""
    return hashlib.sha256(canonical(_placeless(experiment.resolved)).encode()).hexdigest()


def _placeless(value: Any) -> Any:
    if isinstance(value, Mapping):
        return {name: _placeless(entry) for name, entry in value.items()}
    if isinstance(value, (list, tuple)):
        return [_placeless(entry) for entry in value]
    return os.path.basename(value) if isinstance(value, str) and os.path.isabs(value) else value
