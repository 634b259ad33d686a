"""Lay the options that a plugin's preset stands for beneath those that a table writes out."""

from __future__ import annotations

from collections.abc import Mapping
from typing import Any

import attrs

from fxkit.experiment.report import Report
from fxkit.experiment.tree import Mark, Tree, merge, without
from fxkit.experiment.wording import mismatch, suggestion

KEY = "preset"


def presets_of(spec: type) -> Mapping[str, Mapping[str, Any]]:
    """Return preset name -> option values of a spec class; nothing when it has none."""
    declared = getattr(spec, "presets", None)
    found: Mapping[str, Mapping[str, Any]] = declared() if callable(declared) else {}
    return found


def with_preset(tree: Tree, presets: Mapping[str, Mapping[str, Any]], report: Report) -> Tree:
    """Return the table with its preset's options in it; those that it writes itself stay.

    A value of the preset counts as written where the preset is named. A preset that there is not is
    reported.
    """
    entry = tree.get(KEY)
    if entry is None or not presets:
        return tree
    written = without(tree, (KEY,))
    if not isinstance(entry.value, str):
        report.at_value(entry, mismatch("text", entry.value))
        return written
    if entry.value not in presets:
        near = suggestion(entry.value, presets) or f"; there are {', '.join(presets)}"
        report.at_value(entry, f'no preset "{entry.value}"{near}')
        return written
    origin = attrs.evolve(entry.mark.value, via=f'preset "{entry.value}"')
    base = _planted(presets[entry.value], Mark(tree.mark.path, origin, origin, tree.mark.folder))
    return merge(base, written)


def _planted(value: Any, mark: Mark) -> Tree:
    if attrs.has(type(value)):
        fields = attrs.asdict(value, recurse=False)
        value = {name: item for name, item in fields.items() if item is not None}
    if isinstance(value, Mapping):
        return Tree({name: _planted(item, _below(mark, name)) for name, item in value.items()}, mark)
    if isinstance(value, (list, tuple)):
        return Tree(tuple(_planted(item, _below(mark, i)) for i, item in enumerate(value)), mark)
    return Tree(value, mark)


def _below(mark: Mark, name: str | int) -> Mark:
    return attrs.evolve(mark, path=(*mark.path, name))
