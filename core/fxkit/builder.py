"""Compose a model in Python, look at it, and write it as the tables of an experiment file.

    >>> import fxkit
    >>> model = fxkit.Model.chain(
    ...     [fxkit.node("gain", name="clean"), [fxkit.node("parametric-eq", peaks=2), fxkit.node("tanh")]],
    ...     fxkit.node("gain", name="level"),
    ... )
    >>> print(model)

Members stand in series; a list among them is branches in parallel, a list in that is a series again,
as in `model.chain`.
"""

from __future__ import annotations

import io
from collections.abc import Mapping, Sequence
from pathlib import Path
from typing import TYPE_CHECKING, Any, TypeAlias

import attrs

from fxkit.errors import RunError
from fxkit.experiment.document import FORMAT
from fxkit.experiment.reader import (
    MODEL_PLACES,
    read_blueprint,
    read_document,
    read_experiment,
    with_controllers,
)
from fxkit.experiment.resolved import dump_toml
from fxkit.files import write_atomically

if TYPE_CHECKING:
    from fxkit.experiment.model import Blueprint
    from fxkit.inspection.card import ModelCard
    from fxkit.model.graph import Model as Network

NAME_IN_MESSAGES = "model"
DEFAULT_CONTROLLER = "static"


@attrs.frozen(kw_only=True)
class Node:
    """Hold one node: its name, and the table that describes it."""

    name: str
    table: Mapping[str, Any]


Member: TypeAlias = "Node | str | Sequence[Member]"


def node(type: str, /, *, name: str | None = None, controller: Any = None, **options: Any) -> Node:
    """Describe one node: a processor plugin by its name, and its options.

    `controller` is the name of a controller plugin, a table {"type": ..., ...}, or None: a plugin that
    has parameters then learns constants. `name` is the plugin's name when absent; a second node of
    that name is called NAME-2. Keys of the kernel (`lr`, `freeze`, `inputs`, `parameters`) go among the
    options.
    """
    table = {"type": type, **options}
    if controller is not None:
        table["controller"] = {"type": controller} if isinstance(controller, str) else dict(controller)
    return Node(name=name or type.rpartition("/")[2], table=table)


@attrs.frozen(kw_only=True)
class Model:
    """Hold the tables of a model; every change makes a new one."""

    members: tuple[Any, ...]
    nodes: Mapping[str, Mapping[str, Any]]
    controllers: Mapping[str, Mapping[str, Any]] = attrs.field(factory=dict)
    features: Mapping[str, Mapping[str, Any]] = attrs.field(factory=dict)

    @classmethod
    def chain(cls, *members: Member) -> Model:
        """Put nodes in series; a list among them is branches in parallel, a list in it a series again."""
        nodes: dict[str, Mapping[str, Any]] = {}
        return cls(members=tuple(_entered(member, nodes) for member in members), nodes=nodes)

    @classmethod
    def read(cls, source: str | Path) -> Model:
        """Take the model out of an experiment file, with every default written out."""
        tables = read_experiment(source).resolved
        named = {place: tables.get(place, {}) for place in MODEL_PLACES}
        return cls(members=_tuples(tables["model"]["chain"]), **named)

    def then(self, *members: Member) -> Model:
        """Return the model with more behind it."""
        nodes = dict(self.nodes)
        added = tuple(_entered(member, nodes) for member in members)
        return attrs.evolve(self, members=(*self.members, *added), nodes=nodes)

    def control(self, name: str, controller: str | Mapping[str, Any], *nodes: str) -> Model:
        """Return the model with one controller, called `name`, that drives several nodes.

        Raises `ValueError` for a node that is not there.
        """
        table = {"type": controller} if isinstance(controller, str) else dict(controller)
        unknown = [one for one in nodes if one not in self.nodes]
        if unknown:
            raise ValueError(f"no node {unknown[0]!r}; there are {', '.join(self.nodes)}")
        driven = {one: {**self.nodes[one], "controller": name} for one in nodes}
        return attrs.evolve(
            self, nodes={**self.nodes, **driven}, controllers={**self.controllers, name: table}
        )

    def feature(self, name: str, type: str, **options: Any) -> Model:
        """Return the model with a feature that its controllers may read."""
        return attrs.evolve(self, features={**self.features, name: {"type": type, **options}})

    def document(self, **tables: Any) -> dict[str, Any]:
        """Return the model's tables, and more of an experiment's: run, data, losses, train, ...

        Nodes that need a controller and have none get "static". Nothing is checked yet.
        """
        found = {place: _plain(getattr(self, place)) for place in MODEL_PLACES if getattr(self, place)}
        model = {**tables.pop("model", {}), "chain": _plain(self.members)}
        document = {"fxkit": FORMAT, **_plain(tables), **found, "model": model}
        return with_controllers(document, NAME_IN_MESSAGES, DEFAULT_CONTROLLER)

    def toml(self, **tables: Any) -> str:
        """Write `document` as TOML."""
        return dump_toml(self.document(**tables))

    def write(self, path: str | Path, *, force: bool = False, **tables: Any) -> Path:
        """Check the whole experiment, write it, and return its path, which `fxkit.run` takes.

        Raises `ExperimentError` with everything that is wrong, and `RunError` when the file exists.
        """
        target = Path(path)
        if target.exists() and not force:
            raise RunError(f"{target}: exists; choose another name, or pass force=True")
        document = self.document(**tables)
        read_document(document, str(target))
        write_atomically(target, lambda stream: stream.write(dump_toml(document).encode()))
        return target

    def build(self, *, channels: int = 1, **run: Any) -> Network:
        """Build the model as it starts, for `channels` of audio; `run` takes the keys of [run].

        Raises `ExperimentError` with everything that is wrong.
        """
        from fxkit.inspection.subject import build_untrained

        return build_untrained(self._blueprint(run), channels=channels)

    def card(self, *, channels: int = 1, **run: Any) -> ModelCard:
        """Describe the model as it starts: costs, latency, parameters in physical units."""
        from fxkit.inspection.subject import Subject, build_untrained, describe_subject

        blueprint = self._blueprint(run)
        network = build_untrained(blueprint, channels=channels)
        return describe_subject(
            Subject(source="", stands="as it starts", experiment=blueprint, model=network)
        )

    def _blueprint(self, run: Mapping[str, Any]) -> Blueprint:
        return read_blueprint(self.document(run=dict(run)), NAME_IN_MESSAGES)

    def __str__(self) -> str:
        from rich.console import Console

        from fxkit.inspection.text import card_tree

        page = io.StringIO()
        Console(file=page, width=110, highlight=False).print(card_tree(self.card()))
        return page.getvalue().rstrip()

    def _repr_svg_(self) -> str:
        from fxkit.inspection.picture import card_figure

        page = io.StringIO()
        card_figure(self.card()).savefig(page, format="svg")
        return page.getvalue()


def _entered(member: Member, nodes: dict[str, Mapping[str, Any]]) -> Any:
    """Note the nodes of a member, and return it as names."""
    if isinstance(member, Node):
        name = _free(member.name, nodes)
        nodes[name] = member.table
        return name
    if isinstance(member, str):
        return _entered(node(member), nodes)
    return tuple(_entered(one, nodes) for one in member)


def _tuples(chain: Sequence[Any]) -> tuple[Any, ...]:
    return tuple(one if isinstance(one, str) else _tuples(one) for one in chain)


def _free(name: str, taken: Mapping[str, Any]) -> str:
    number, free = 1, name
    while free in taken:
        number += 1
        free = f"{name}-{number}"
    return free


def _plain(value: Any) -> Any:
    if isinstance(value, Mapping):
        return {name: _plain(item) for name, item in value.items() if item is not None}
    if isinstance(value, (list, tuple)):
        return [_plain(item) for item in value]
    return str(value) if isinstance(value, Path) else value
