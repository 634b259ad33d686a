"""Check the names by which the tables of an experiment refer to each other."""

from __future__ import annotations

from collections.abc import Iterable, Iterator

from fxkit.experiment.draft import Draft
from fxkit.experiment.report import Report
from fxkit.experiment.tree import Tree
from fxkit.experiment.wording import suggestion
from fxkit_registry import closest

INPUT = "input"
# What the engine calls the weighted sum of all losses.
_TOTALS = ("loss", "total")


def crosscheck(found: Draft, report: Report) -> None:
    """Report names that lead nowhere, names given twice, and tables that nothing uses."""
    _check_chain(found, report)
    _check_controllers(found, report)
    _check_inputs(found, report)
    _check_terms(found, report)


def chain_members(found: Draft) -> tuple[Tree, ...]:
    """Return the entries of model.chain that are names, in the order in which they run."""
    chain = found.tree.at(("model", "chain"))
    return tuple(_names(chain)) if chain else ()


def _names(tree: Tree) -> Iterator[Tree]:
    if isinstance(tree.value, str):
        yield tree
    if isinstance(tree.value, tuple):
        for item in tree.value:
            yield from _names(item)


def _check_chain(found: Draft, report: Report) -> None:
    nodes = found.named("nodes")
    first: dict[str, Tree] = {}
    meant: set[str] = set()
    for member in chain_members(found):
        name = str(member.value)
        if name not in nodes:
            hint = suggestion(name, nodes) or _listing(nodes)
            meant.update(closest(name, nodes, limit=1))
            report.at_value(member, f'no node "{name}"{hint}')
        elif name in first:
            place = first[name].mark.value
            message = f'"{name}" stands here for the second time (first at {place}); a node runs once'
            report.at_value(member, f"{message}; for a second one, copy its table under another name")
        first.setdefault(name, member)
    if INPUT in nodes:
        report.at_key(nodes[INPUT], f'the name "{INPUT}" is that of the recording that enters the model')
    chain = found.tree.at(("model", "chain"))
    if chain is None or not isinstance(chain.value, tuple):
        return
    for empty in _empty_lists(chain):
        report.at_value(empty, "an empty list; name at least one node")
    for name, node in nodes.items():
        if name not in first and name not in meant:
            report.at_table(node, "not in model.chain; add it there or remove the table")


def _listing(names: Iterable[str]) -> str:
    listed = tuple(names)
    verb = "is" if len(listed) == 1 else "are"
    return f"; there {verb} {', '.join(listed) or 'none'}"


def _empty_lists(tree: Tree) -> Iterator[Tree]:
    if isinstance(tree.value, tuple):
        if not tree.value:
            yield tree
        for item in tree.value:
            yield from _empty_lists(item)


def _check_controllers(found: Draft, report: Report) -> None:
    shared = found.named("controllers")
    used = set()
    for controller in _named_controllers(found):
        name = str(controller.value)
        used.add(name)
        if name not in shared:
            hint = suggestion(name, shared) or f'; write [controllers.{name}] or {{ type = "..." }}'
            report.at_value(controller, f'no controller "{name}"{hint}')
    for name, table in shared.items():
        if name not in used:
            report.at_table(table, f'no node uses it; write controller = "{name}" there or remove the table')


def _named_controllers(found: Draft) -> Iterator[Tree]:
    """Yield the names of controllers that nodes, and parameters of nodes, are given."""
    for node in found.named("nodes").values():
        parameters = node.get("parameters")
        tables = (table for _, table in parameters.items()) if parameters else ()
        for table in (node, *tables):
            controller = table.get("controller")
            if controller is not None and isinstance(controller.value, str):
                yield controller


def _check_inputs(found: Draft, report: Report) -> None:
    order = [str(member.value) for member in chain_members(found)]
    for name, node in found.named("nodes").items():
        before = order[: order.index(name)] if name in order else order
        inputs = node.get("inputs")
        for _, origin in inputs.items() if inputs else ():
            if isinstance(origin.value, str):
                _check_input(found, str(origin.value), origin, before, report)


def _check_input(found: Draft, source: str, tree: Tree, before: list[str], report: Report) -> None:
    nodes = found.named("nodes")
    if source == INPUT or source in before:
        return
    if source in nodes:
        report.at_value(tree, f'"{source}" does not run before this node')
    else:
        allowed = (INPUT, *before)
        hint = suggestion(source, allowed) or _listing(allowed)
        report.at_value(tree, f'no node "{source}"{hint}')


def _check_terms(found: Draft, report: Report) -> None:
    losses, metrics = found.named("losses"), found.named("metrics")
    for name, table in (*losses.items(), *metrics.items()):
        if name in _TOTALS:
            report.at_key(table, f'the name "{name}" is that of the weighted sum of all losses')
    for name in losses.keys() & metrics.keys():
        message = f"[losses.{name}] has the same name, and losses are measured too; rename or remove one"
        report.at_key(metrics[name], message)
    best = found.tree.at(("train", "best"))
    names = ("loss", *losses, *metrics)
    if best is not None and isinstance(best.value, str) and best.value not in names:
        hint = suggestion(best.value, names) or _listing(names)
        report.at_value(best, f'no loss or metric "{best.value}"{hint}')
