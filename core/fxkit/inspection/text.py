"""Write a model's card as a tree of text."""

from __future__ import annotations

from collections.abc import Sequence

from rich.markup import escape
from rich.tree import Tree

from fxkit.inspection.card import ControllerCard, ModelCard, NodeCard, ParameterCard
from fxkit.model.chain import Leaf, Parallel, Series

_MANY = 8


def card_tree(card: ModelCard) -> Tree:
    """Return the card as a rich tree: the chain with its nodes, then the controllers."""
    root = Tree(f"[bold]{escape(card.name)}[/]  {escape(headline(card))}", guide_style="dim")
    _Writer(card).series(card.tree.members, root)
    if card.controllers:
        branch = root.add("[bold]controllers[/]")
        for controller in card.controllers.values():
            branch.add(escape(controller_line(controller)))
    return root


def headline(card: ModelCard) -> str:
    """Return the line of totals."""
    facts = (
        f"{card.sample_rate} Hz",
        _counted(card.target_channels, "channel"),
        f"hop {card.hop}",
        f"latency {_counted(card.latency, 'sample')}",
        f"receptive field {field_text(card.receptive_field)}",
        _counted(card.weights, "weight"),
        macs_text(card.macs),
        card.stands,
    )
    return ", ".join(fact for fact in facts if fact)


def node_line(node: NodeCard) -> str:
    """Return what one line says of a node."""
    facts = [_plugin(node.plugin), _weights(node.weights, node.trained)]
    facts += [f"latency {_counted(node.latency, 'sample')}"] if node.latency else []
    facts += [] if node.causal else ["looks ahead"]
    facts += [f"receptive field {field_text(node.receptive_field)}", macs_text(node.macs)]
    facts += [f"{name} from {origin}" for name, origin in node.inputs.items()]
    return ", ".join(fact for fact in facts if fact)


def controller_line(controller: ControllerCard) -> str:
    """Return what one line says of a controller."""
    facts = [_plugin(controller.plugin), _rate(controller)]
    facts += [f"reads {' and '.join(controller.uses)}"] if controller.uses else []
    facts += [f"follows within {_counted(controller.delay, 'sample')}"] if controller.delay else []
    facts += [_weights(controller.weights, controller.trained), f"drives {', '.join(controller.drives)}"]
    return f"{controller.name}  " + ", ".join(fact for fact in facts if fact)


def parameter_line(parameter: ParameterCard) -> str:
    """Return a parameter's values and range with the unit."""
    unit = f" {parameter.unit}" if parameter.unit else ""
    scale = "" if parameter.mapping == "linear" else f", {parameter.mapping}"
    stands = "moves" if parameter.values is None else f"{numbers(parameter.values)}{unit}"
    return f"{stands}  ({parameter.low:g} to {parameter.high:g}{unit}{scale})"


def numbers(values: Sequence[float]) -> str:
    """Write values short; the middle of a long list is left out."""
    shown = [f"{value:.4g}" for value in values]
    return ", ".join(shown if len(shown) <= _MANY else [*shown[: _MANY - 1], "...", shown[-1]])


def field_text(samples: int | None) -> str:
    """Write a receptive field."""
    return "unbounded" if samples is None else _counted(samples, "sample")


def macs_text(macs: float | None) -> str:
    """Write a cost per sample; nothing where it is unknown."""
    return "" if macs is None else f"{macs:,.0f} MAC/sample"


def _plugin(qualified: str) -> str:
    dist, _, name = qualified.rpartition("/")
    return name if dist == "fxkit" else qualified


def _weights(count: int, trained: bool) -> str:
    return "" if not count else _counted(count, "weight") + ("" if trained else " (frozen)")


def _rate(controller: ControllerCard) -> str:
    return {"constant": "constant", "sample": "every sample"}.get(controller.rate, "frames")


def _counted(number: int, noun: str) -> str:
    return f"{number:,} {noun}" if number == 1 else f"{number:,} {noun}s"


class _Writer:
    """Add the chain to a tree; branches in parallel stand under one entry."""

    def __init__(self, card: ModelCard) -> None:
        self.card = card

    def series(self, members: Sequence[Leaf | Series | Parallel], tree: Tree) -> None:
        for member in members:
            member.accept(self, tree)

    def leaf(self, leaf: Leaf, tree: Tree) -> Tree:
        node = self.card.nodes[leaf.name]
        branch = tree.add(f"[bold cyan]{escape(node.name)}[/]  {escape(node_line(node))}")
        for parameter in node.parameters:
            setter = "" if parameter.setter == node.controller else f", set by {parameter.setter}"
            branch.add(f"{escape(parameter.name)}  {escape(parameter_line(parameter))}{escape(setter)}")
        return tree

    def parallel(self, group: Parallel, tree: Tree) -> Tree:
        total = tree.add("[dim]sum of[/]")
        for branch in group.branches:
            branch.accept(self, total.add("[dim]branch[/]") if isinstance(branch, Series) else total)
        return tree
