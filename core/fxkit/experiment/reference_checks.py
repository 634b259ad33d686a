"""Check the names that plugins' options hold: of losses, metrics, nodes, controllers, features, phases."""

from __future__ import annotations

from collections.abc import Sequence

from fxkit.experiment.draft import Draft
from fxkit.experiment.options import Placed, placed
from fxkit.experiment.report import Report
from fxkit.experiment.tree import Tree
from fxkit.experiment.wording import some, suggestion

TOTAL = "loss"
_WORDS = {
    "metric": "loss or metric",
    "node": "node",
    "controller": "controller",
    "owner": "node or controller",
    "feature": "feature",
    "phase": "phase",
}
# How the tables are written that an experiment may have none of.
_TABLES = {"phase": "[[phase]]", "feature": "[features.NAME]", "controller": "[controllers.NAME]"}


def check_references(found: Draft, report: Report) -> None:
    """Report every name in an option, of those that `opt(refers=...)` declares, that leads nowhere.

    Recordings are known when the data is there; see `material_checks`.
    """
    for option in placed(found):
        refers = option.meta.refers
        if refers is None or refers not in _WORDS:
            continue
        names = names_of(found, refers)
        for name, tree in option.texts():
            if name not in names:
                _tell(option, tree, _lost(refers, name, names), report)


def names_of(found: Draft, refers: str) -> tuple[str, ...]:
    """Return what an option that refers to this may name, broken tables too."""
    nodes, controllers = found.named("nodes"), found.named("controllers")
    inline = [f"{name}.controller" for name, table in nodes.items() if _is_inline(table)]
    names: dict[str, Sequence[str]] = {
        "metric": (TOTAL, *found.named("losses"), *found.named("metrics")),
        "node": tuple(nodes),
        "controller": (*controllers, *inline),
        "owner": (*nodes, *controllers, *inline),
        "feature": tuple(found.named("features")),
        "phase": _phases(found),
    }
    return tuple(names[refers])


def _is_inline(node: Tree) -> bool:
    controller = node.get("controller")
    return controller is not None and controller.is_table


def _phases(found: Draft) -> tuple[str, ...]:
    entry = found.tree.get("phase")
    tables = entry.value if entry is not None and isinstance(entry.value, tuple) else ()
    titles = [table.get("name") for table in tables]
    return tuple(
        title.value if title is not None and isinstance(title.value, str) else f"phase {index}"
        for index, title in enumerate(titles)
    )


def _lost(refers: str, name: str, names: Sequence[str]) -> str:
    message = f'no {_WORDS[refers]} "{name}"'
    if not names:
        return f"{message}; this experiment has no {_TABLES.get(refers, _WORDS[refers])}"
    verb = "is" if len(names) == 1 else "are"
    return message + (suggestion(name, names) or f"; there {verb} {some(list(names), 8)}")


def _tell(option: Placed, tree: Tree | None, message: str, report: Report) -> None:
    if tree is not None:
        report.at_value(tree, message)
    else:
        report.at_table(option.table, f"{option.name}: {message}")
