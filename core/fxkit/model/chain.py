"""The shape of a model: names in series, lists in parallel, lists in those in series again."""

from __future__ import annotations

from collections.abc import Iterator, Sequence
from typing import Any

import attrs


@attrs.frozen
class Leaf:
    """Stand for one node by name."""

    name: str

    def names(self) -> Iterator[str]:
        """Yield the node's name."""
        yield self.name

    def accept(self, visitor: Any, value: Any) -> Any:
        """Hand this leaf to `visitor.leaf`."""
        return visitor.leaf(self, value)


@attrs.frozen
class Series:
    """Run members one after the other."""

    members: tuple[Leaf | Series | Parallel, ...]

    def names(self) -> Iterator[str]:
        """Yield the names of all nodes, in order."""
        for member in self.members:
            yield from member.names()

    def accept(self, visitor: Any, value: Any) -> Any:
        """Hand each member the result of the one before."""
        for member in self.members:
            value = member.accept(visitor, value)
        return value


@attrs.frozen
class Parallel:
    """Run branches on the same input and sum them; `label` names each branch's stem."""

    branches: tuple[Leaf | Series | Parallel, ...]

    def names(self) -> Iterator[str]:
        """Yield the names of all nodes, branch by branch."""
        for branch in self.branches:
            yield from branch.names()

    def labels(self) -> tuple[str, ...]:
        """Name each branch by its nodes, joined by "+"."""
        return tuple("+".join(branch.names()) for branch in self.branches)

    def accept(self, visitor: Any, value: Any) -> Any:
        """Hand this group to `visitor.parallel`, which runs the branches."""
        return visitor.parallel(self, value)


Tree = Leaf | Series | Parallel


def parse_chain(chain: Sequence[Any]) -> Series:
    """Read the nested lists of `model.chain`.

    Raises `ValueError` naming what is wrong: an empty list, or something that is no name or list.
    """
    if not chain:
        raise ValueError("an empty list; name at least one node")
    return Series(tuple(_branch(item, parallel=True) for item in chain))


def _branch(item: Any, *, parallel: bool) -> Tree:
    if isinstance(item, str):
        return Leaf(item)
    if not isinstance(item, (list, tuple)):
        raise ValueError(f"{item!r} is neither a node's name nor a list of names")
    if not item:
        raise ValueError("an empty list; name at least one node")
    members = tuple(_branch(member, parallel=not parallel) for member in item)
    return Parallel(members) if parallel else Series(members)
