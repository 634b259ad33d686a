"""The kinds of plugin, as data: adding a kind is one line here."""

from __future__ import annotations

import attrs

API = 1
GROUP_PREFIX = "fxkit.v"


@attrs.frozen
class Kind:
    """Name one kind of plugin: its plural (the key everywhere), singular, and what it is."""

    name: str
    singular: str
    summary: str

    @property
    def group(self) -> str:
        """Return the entry-point group of this kind for the current plugin API."""
        return f"{GROUP_PREFIX}{API}.{self.name}"


KINDS: tuple[Kind, ...] = (
    Kind("processors", "processor", "makes or changes sound"),
    Kind("controllers", "controller", "decides the parameters of processors"),
    Kind("losses", "loss", "measures a difference; trained on, or a metric"),
    Kind("callbacks", "callback", "watches a run and acts on it"),
    Kind("datasets", "dataset", "offers recordings by split"),
    Kind("transforms", "transform", "augments training batches"),
    Kind("features", "feature", "extracts frame series from recordings"),
    Kind("embeddings", "embedding", "maps audio to vectors"),
    Kind("exporters", "exporter", "writes a trained model for use elsewhere"),
    Kind("importers", "importer", "reads a model that was trained elsewhere"),
    Kind("conditionings", "conditioning", "lets a condition act on the layers of a network"),
    Kind("optimizers", "optimizer", "updates the weights"),
    Kind("schedules", "schedule", "moves the learning rate over the steps"),
    Kind("ramps", "ramp", "moves the weight of a loss over the training"),
)

# Not plugins but data: packages of experiment files.
EXPERIMENTS = Kind("experiments", "experiment", "experiment files to start from and to extend")


def kind_named(name: str) -> Kind | None:
    """Return the kind with this plural or singular name, or None."""
    return next((kind for kind in KINDS if name in (kind.name, kind.singular)), None)
