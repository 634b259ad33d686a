"""Check every value of a sweep through the experiment reader before anything runs."""

from __future__ import annotations

import math
from collections.abc import Iterator, Mapping, Sequence
from typing import Any

import attrs

from fxkit.catalog import Catalog
from fxkit.context import BuildContext
from fxkit.errors import ExperimentError, FxkitError, Problem
from fxkit.experiment.model import Experiment
from fxkit.experiment.unmet import require
from fxkit.experiment.wording import suggestion
from fxkit.sweeping.axes import Axis
from fxkit.sweeping.sweep import Sweep, digest_of, products, read_variant
from fxkit.traits import loss_traits

LOSS = "loss"
# Up to so many combinations are all checked; of more, each value once.
_ALL = 64


class SweepError(FxkitError):
    """Report a sweep that cannot be what was asked for."""

    exit_code = 2


def checked(sweep: Sweep, metric: str | None) -> Sweep:
    """Return the sweep with what its experiment says: metric, direction, steps and digest.

    Raises `ExperimentError` with everything that is wrong with any value, and `SweepError` for a metric
    that not every variant measures alike.
    """
    variants = _read(sweep)
    first = variants[0]
    name = metric or first.train.best or LOSS
    _refuse_unmeasured(variants, name)
    return attrs.evolve(
        sweep,
        run=first.run.name,
        metric=name,
        higher=_higher(first, name),
        digest=digest_of(first),
        steps=first.train.steps,
        every=first.train.validate_every,
    )


def _read(sweep: Sweep) -> list[Experiment]:
    catalog = Catalog.installed(in_tree_only=sweep.no_plugins)
    problems: dict[Problem, None] = {}
    variants = []
    for values in _combinations(sweep.axes):
        try:
            variants.append(read_variant(sweep, values, catalog))
            require(variants[-1])
        except ExperimentError as error:
            labels = _labels(sweep, values)
            problems.update(
                {attrs.evolve(one, file=labels.get(one.file, one.file)): None for one in error.problems}
            )
    if problems:
        raise ExperimentError(tuple(problems))
    return variants


def _combinations(axes: tuple[Axis, ...]) -> Iterator[dict[str, str]]:
    if math.prod(len(axis.probes()) for axis in axes) <= _ALL:
        yield from products(axes)
        return
    first = {axis.path: axis.probes()[0] for axis in axes}
    yield first
    for axis in axes:
        for value in axis.probes()[1:]:
            yield {**first, axis.path: value}


def _labels(sweep: Sweep, values: Mapping[str, str]) -> dict[str, str]:
    """Return what the reader calls an option -> what stands on the command line."""
    given = len(sweep.settings)
    return {f"--set #{given + number}": f"sweep of {path}" for number, path in enumerate(values, 1)}


def _refuse_unmeasured(variants: Sequence[Experiment], metric: str) -> None:
    measured = [_measures(variant) for variant in variants]
    for there in measured:
        if metric not in there:
            raise SweepError(
                f"--metric {metric}: the experiment measures {', '.join(there)}{suggestion(metric, there)}"
            )
    first = measured[0]
    if any(there[metric] != first[metric] for there in measured):
        alike = [name for name in first if all(there.get(name) == first[name] for there in measured)]
        named = f"choose one that they do: --metric {alike[0]}" if alike else "add one to [metrics]"
        raise SweepError(f"--metric {metric}: the variants do not all measure it alike; {named}")


def _measures(experiment: Experiment) -> dict[str, Any]:
    """Return metric -> all that its figure depends on."""
    parts = {**experiment.metrics, **experiment.losses}
    total = {name: (part.plugin, part.spec, part.keys) for name, part in experiment.losses.items()}
    return {LOSS: total, **{name: (part.plugin, part.spec) for name, part in parts.items()}}


def _higher(experiment: Experiment, metric: str) -> bool:
    part = {**experiment.metrics, **experiment.losses}.get(metric)
    ctx = BuildContext(sample_rate=experiment.run.sample_rate, hop=experiment.run.hop)
    return part is not None and loss_traits(part.spec, ctx).higher_is_better
