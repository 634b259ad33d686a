"""Check the tables [[phase]], and the windows of the training, against the rest of an experiment."""

from __future__ import annotations

from collections.abc import Iterable, Iterator

from fxkit.experiment.draft import Draft
from fxkit.experiment.report import Report
from fxkit.experiment.tree import Tree
from fxkit.experiment.wording import some, suggestion

LOSSES = "losses."


def check_phases(found: Draft, report: Report) -> None:
    """Report names in phases that lead nowhere, lengths that have no effect, and windows that do not fit."""
    phases = found.tree.get("phase")
    tables = phases.value if phases and isinstance(phases.value, tuple) else ()
    for table in tables:
        _check_lists(found, table, report)
    _check_titles(tables, report)
    for key in ("steps", "until"):
        length = found.tree.at(("train", key))
        if tables and length is not None:
            report.at_value(length, f"has no effect beside [[phase]]; write {key} there, or remove this")
    _check_windows(found, tables, report)


def _check_lists(found: Draft, table: Tree, report: Report) -> None:
    turns = table.get("alternate")
    inner = turns.value if turns and isinstance(turns.value, tuple) else ()
    losses = found.named("losses")
    for one in (table, *inner):
        for name in _texts(one.get("train")):
            _check_learner(str(name.value), name, found, report)
        weights = one.get("losses")
        for loss, entry in weights.items() if weights else ():
            if loss not in losses:
                hint = suggestion(loss, losses) or f"; there are {some(list(losses))}"
                report.at_key(entry, f'no loss "{loss}"{hint}')
        if weights is not None and weights.is_table and not weights.value:
            report.at_value(weights, "names no loss; write at least one, such as " + _example(losses))


def _example(losses: Iterable[str]) -> str:
    return f"losses = {{ {next(iter(losses), 'NAME')} = 1.0 }}"


def _texts(tree: Tree | None) -> Iterator[Tree]:
    items = tree.value if tree is not None and isinstance(tree.value, tuple) else ()
    return (item for item in items if isinstance(item.value, str))


def _check_learner(name: str, tree: Tree, found: Draft, report: Report) -> None:
    nodes = found.named("nodes")
    inline = [f"{node}.controller" for node, table in nodes.items() if _has_own_controller(table)]
    names = [*nodes, *inline, *found.named("controllers"), *(LOSSES + loss for loss in found.named("losses"))]
    if name not in names:
        hint = suggestion(name, names) or f"; there are {some(names, 8)}"
        report.at_value(tree, f'nothing called "{name}" learns{hint}')


def _has_own_controller(node: Tree) -> bool:
    controller = node.get("controller")
    return controller is not None and controller.is_table


def _check_titles(tables: Iterable[Tree], report: Report) -> None:
    first: dict[str, Tree] = {}
    for table in tables:
        title = table.get("name")
        if title is None or not isinstance(title.value, str):
            continue
        if title.value in first:
            place = first[title.value].mark.value
            report.at_value(title, f'a phase is called "{title.value}" already (at {place})')
        elif title.value.isdecimal():
            report.at_value(title, "a number counts phases; give it a letter")
        first.setdefault(title.value, title)


def _check_windows(found: Draft, phases: Iterable[Tree], report: Report) -> None:
    train, data = found.tables.get("train"), found.parts["data"].get("")
    if train is None or data is None:
        return
    for table in (found.tree.get("train"), *phases):
        if table is None or not table.is_table:
            continue
        window, own = _number(table, "window"), _number(table, "segment")
        length = window if window is not None else train.window
        segment = own if own is not None else data.keys.segment
        place = table.get("window") or table.get("segment")
        if place is not None and length is not None and segment % length:
            near = max(1, round(segment / length)) * length
            message = f"a segment of {segment} samples is not a number of whole windows of {length}"
            report.at_value(place, f"{message}; a segment of {near} would be")


def _number(table: Tree, name: str) -> int | None:
    entry = table.get(name)
    return entry.value if entry is not None and type(entry.value) is int and entry.value > 0 else None
