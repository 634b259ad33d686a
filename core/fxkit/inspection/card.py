"""What there is to know about a model, node by node."""

from __future__ import annotations

from collections.abc import Mapping, Sequence

import attrs

from fxkit.experiment.binding import Bound
from fxkit.model.chain import Leaf, Parallel, Series


@attrs.frozen(kw_only=True)
class ParameterCard:
    """Describe one parameter: its range, and where it stands; `values` None for one that moves.

    `setter` says what sets it: a controller's name, "a fixed value", or "NODE.PARAMETER" to which it is tied.
    """

    name: str
    unit: str
    low: float
    high: float
    mapping: str
    values: tuple[float, ...] | None
    setter: str


@attrs.frozen(kw_only=True)
class NodeCard:
    """Describe one node; `macs` None when they are neither declared nor countable."""

    name: str
    plugin: str
    version: str
    channels: int
    latency: int
    causal: bool
    receptive_field: int | None
    weights: int
    trained: bool
    macs: float | None
    inputs: Mapping[str, str]
    controller: str | None
    parameters: tuple[ParameterCard, ...]


@attrs.frozen(kw_only=True)
class ControllerCard:
    """Describe one controller; `delay` is by how many samples it follows what it hears at the latest."""

    name: str
    plugin: str
    version: str
    rate: str
    uses: tuple[str, ...]
    delay: int
    weights: int
    trained: bool
    drives: tuple[str, ...]


@attrs.frozen(kw_only=True)
class ModelCard:
    """Describe a whole model; `stands` says whether the values are learned or those of the start."""

    name: str
    source: str
    stands: str
    sample_rate: int
    hop: int
    channels: int
    target_channels: int
    latency: int
    receptive_field: int | None
    weights: int
    macs: float | None
    tree: Series = attrs.field(repr=False)
    nodes: Mapping[str, NodeCard]
    controllers: Mapping[str, ControllerCard]

    def document(self) -> dict[str, object]:
        """Return the card as plain values, the chain as nested lists of names."""
        plain = attrs.asdict(self, filter=lambda field, _: field.name != "tree")
        return {**plain, "chain": [outline(member) for member in self.tree.members]}


def outline(member: Leaf | Series | Parallel) -> object:
    """Write a piece of the chain as the file does: names and nested lists."""
    return member.accept(_Outline(), None) if not isinstance(member, Series) else _listed(member.members)


def _listed(members: Sequence[Leaf | Series | Parallel]) -> list[object]:
    return [outline(member) for member in members]


class _Outline:
    def leaf(self, leaf: Leaf, _: object) -> str:
        return leaf.name

    def parallel(self, group: Parallel, _: object) -> list[object]:
        return _listed(group.branches)


def parameter_card(bound: Bound, values: Sequence[float] | None) -> ParameterCard:
    """Describe a parameter that stands at `values`, or moves."""
    parameter = bound.parameter
    return ParameterCard(
        name=parameter.name,
        unit=parameter.unit,
        low=parameter.low,
        high=parameter.high,
        mapping=parameter.mapping,
        values=None if values is None else tuple(values),
        setter="a fixed value" if bound.fixed else bound.tie or bound.controller,
    )
