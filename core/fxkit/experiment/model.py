"""An experiment as read: checked values, the specs that its plugins' tables became, and origins."""

from __future__ import annotations

from collections.abc import Mapping
from typing import Any

import attrs

from fxkit.errors import Problem
from fxkit.experiment.tables import ModelTable, PhaseTable, PluginsTable, RunTable, TrainTable


@attrs.frozen(kw_only=True)
class Origin:
    """Say where a value was written: a file with line and column (from 1), or a --set option."""

    file: str
    line: int = 0
    column: int = 0
    via: str = ""

    def __str__(self) -> str:
        place = f"{self.file}:{self.line}:{self.column}" if self.line else self.file
        return f"{place} (via {self.via})" if self.via else place


@attrs.frozen(kw_only=True)
class Part:
    """Hold one plugin's table: which plugin it names, the plugin's spec, and the kernel's keys.

    `path` is the table's path in the file; `kind`, `plugin` ("dist/name") and `version` identify the
    plugin; `spec` is an instance of its spec class; `keys` an instance of the place's key class. An
    inline controller stands in `keys.controller` as a `Part` of its own, a shared one as its name.
    `name` is the shortest `type` that resolves to the plugin; `digest` the SHA-256 of a local
    plugin's file, else empty; `inner` the plugins that its own options name.
    """

    path: str
    kind: str
    plugin: str
    version: str
    spec: Any
    keys: Any
    name: str
    digest: str = ""
    inner: tuple[Part, ...] = ()

    def all(self) -> tuple[Part, ...]:
        """Return this part and every one that its options name, at any depth."""
        return (self, *(part for inner in self.inner for part in inner.all()))


@attrs.frozen(kw_only=True)
class Blueprint:
    """Hold what a model is built from: the checked tables of an experiment that say what it is."""

    file: str = attrs.field(eq=False)
    run: RunTable
    model: ModelTable
    plugins: PluginsTable
    features: Mapping[str, Part]
    controllers: Mapping[str, Part]
    nodes: Mapping[str, Part]

    def model_parts(self) -> tuple[Part, ...]:
        """Return every plugin that the model names, also inside options."""
        inline = [
            node.keys.controller for node in self.nodes.values() if isinstance(node.keys.controller, Part)
        ]
        outer = (*self.features.values(), *self.controllers.values(), *self.nodes.values(), *inline)
        return tuple(part for one in outer for part in one.all())


@attrs.frozen(kw_only=True)
class Experiment(Blueprint):
    """Hold a whole checked experiment.

    `optimizer` and `schedule` are the parts of [train], `phases` the tables [[phase]]; `resolved`
    is the plain document with every default written out and paths absolute; `origins` maps dotted paths
    to where they were written; `warnings` say, in the order of the file, what is probably not meant.
    Experiments that ask for the same are equal, wherever they were written.
    """

    train: TrainTable
    data: Part
    optimizer: Part
    schedule: Part | None
    losses: Mapping[str, Part]
    metrics: Mapping[str, Part]
    callbacks: Mapping[str, Part]
    transforms: Mapping[str, Part]
    resolved: Mapping[str, Any]
    origins: Mapping[str, Origin] = attrs.field(eq=False)
    phases: tuple[PhaseTable, ...] = ()
    warnings: tuple[Problem, ...] = attrs.field(default=(), eq=False)

    def parts(self) -> tuple[Part, ...]:
        """Return every plugin that the experiment names, also inside options, place by place."""
        named = (
            *self.features.values(),
            *self.controllers.values(),
            *self.nodes.values(),
            *self.losses.values(),
            *self.metrics.values(),
            *self.callbacks.values(),
            *self.transforms.values(),
        )
        inline = tuple(
            node.keys.controller for node in self.nodes.values() if isinstance(node.keys.controller, Part)
        )
        tables: list[Any] = [self.optimizer, self.schedule]
        tables += [loss.keys.weight for loss in self.losses.values()]
        for phase in self.phases:
            tables += [phase.optimizer, phase.schedule, *(phase.losses or {}).values()]
            for turn in phase.alternate:
                tables += [turn.optimizer, *(turn.losses or {}).values()]
        outer = (self.data, *named, *inline, *(one for one in tables if isinstance(one, Part)))
        return tuple(part for one in outer for part in one.all())
