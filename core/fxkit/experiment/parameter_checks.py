"""Check the tables of single parameters against what the processors declare."""

from __future__ import annotations

from collections.abc import Mapping, Sequence

import attrs

from fxkit.experiment.binding import Bound, Key, key_problems, roots, tie_problem
from fxkit.experiment.crosscheck import chain_members
from fxkit.experiment.draft import Draft
from fxkit.experiment.model import Part
from fxkit.experiment.report import Report
from fxkit.experiment.tables import ParameterKeys
from fxkit.experiment.tree import Tree
from fxkit.experiment.wording import some, suggestion
from fxkit.parameter import Parameter
from fxkit_registry import closest


def check_keys(
    tree: Tree, part: Part, parameters: Sequence[Parameter], report: Report
) -> dict[str, ParameterKeys]:
    """Report what is wrong with the tables of one node's parameters; return them by parameter.

    A table that is wrong counts as what it was probably meant to be, so that the rest can be checked.
    """
    declared = {parameter.name: parameter for parameter in parameters}
    entries = dict(_tables(tree))
    tables: dict[str, ParameterKeys] = {}
    for name, keys in part.keys.parameters.items():
        if name in declared:
            found = list(key_problems(declared[name], keys))
            for key, message in found:
                report.at_value(_entry(entries[name], key), message)
            tables[name] = _harmless(declared[name], keys) if found else keys
            continue
        hint = suggestion(name, declared) or f"; it has {some(list(declared), 12) or 'none'}"
        report.at_key(entries[name], f'"{part.name}" has no parameter "{name}"{hint}')
        for meant in closest(name, [one for one in declared if one not in entries], limit=1):
            tables[meant] = _harmless(declared[meant], keys)
    return tables


def _tables(tree: Tree) -> tuple[tuple[str, Tree], ...]:
    parameters = tree.get("parameters")
    return parameters.items() if parameters else ()


def _harmless(parameter: Parameter, keys: ParameterKeys) -> ParameterKeys:
    fixed = None if keys.fixed is None else parameter.default
    return ParameterKeys(fixed=fixed, tie=keys.tie, controller=keys.controller)


def _entry(table: Tree, key: Key) -> Tree:
    name, index = key
    entry = table.get(name) or table
    element: Tree = entry if index is None else entry.value[index]
    return element


def check_ties(found: Draft, report: Report, nodes: Mapping[str, tuple[Bound, ...]]) -> None:
    """Report ties that lead nowhere, forward, in a circle, or to a parameter of another kind.

    `nodes` holds the bound parameters of the nodes whose tables are right.
    """
    bounds = {f"{node}.{bound.parameter.name}": bound for node, group in nodes.items() for bound in group}
    ends = roots(bounds)
    checks = _Ties(found, report, nodes, [str(member.value) for member in chain_members(found)])
    for name, end in ends.items():
        node, _, parameter = name.partition(".")
        tree = found.named("nodes")[node].at(("parameters", parameter, "tie"))
        tie = bounds[name].tie
        if tree is None or checks.leads_nowhere(tree, node, tie):
            continue
        if not end:
            way = "" if tie == name else f" by way of {tie}"
            report.at_value(tree, f"{name} is tied to itself{way}; leave one end to a controller")
            continue
        wrong = tie_problem(bounds[name], bounds[end], end) if end in bounds else None
        if wrong:
            report.at_value(tree, wrong)


@attrs.frozen
class _Ties:
    found: Draft
    report: Report
    nodes: Mapping[str, tuple[Bound, ...]]
    order: Sequence[str]

    def leads_nowhere(self, tree: Tree, node: str, tie: str) -> bool:
        """Report a tie to what does not exist or runs later; True as well where the other node is wrong."""
        other, _, parameter = tie.partition(".")
        own = [bound.parameter.name for bound in self.nodes[node]]
        if not parameter:
            hint = suggestion(f"{node}.{tie}", [f"{node}.{name}" for name in own])
            self.report.at_value(tree, f'expected "node.parameter", got "{tie}"{hint}')
        elif other not in self.found.named("nodes"):
            hint = suggestion(other, self.found.named("nodes")) or f"; there are {some(self.order)}"
            self.report.at_value(tree, f'no node "{other}"{hint}')
        elif other in self.nodes:
            return self.is_missing(tree, other, parameter) or self.is_later(tree, node, other)
        return True

    def is_missing(self, tree: Tree, other: str, parameter: str) -> bool:
        names = [bound.parameter.name for bound in self.nodes[other]]
        if parameter in names:
            return False
        hint = suggestion(parameter, names) or f"; it has {some(names, 12) or 'none'}"
        self.report.at_value(tree, f'node "{other}" has no parameter "{parameter}"{hint}')
        return True

    def is_later(self, tree: Tree, node: str, other: str) -> bool:
        if node not in self.order or other not in self.order:
            return True
        if self.order.index(other) <= self.order.index(node):
            return False
        self.report.at_value(tree, f'"{other}" runs after "{node}"; tie that one\'s parameter to this one')
        return True
