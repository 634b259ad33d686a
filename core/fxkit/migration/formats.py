"""Bring fxkit's own files to the newest format, step by step, with everything else left as it was."""

from __future__ import annotations

from collections.abc import Callable, Iterator, Mapping
from typing import Any

import attrs
import tomli

from fxkit.experiment.document import FORMAT
from fxkit.experiment.positions import Position, dotted, positions
from fxkit.experiment.renamed import CONDITIONS, PARAMETER_PLOTS
from fxkit.migration.rewriting import Insertion, Pair, edited
from fxkit.migration.sketch import toml


@attrs.frozen(kw_only=True)
class Change:
    """Say what a rewriting did: line and path, what was there, what is there now."""

    line: int
    path: str
    before: str
    after: str


@attrs.frozen(kw_only=True)
class Rewriting:
    """Hold one change with all that is needed to make it: new values, and how the text is edited.

    `values` maps paths of names to what stands there afterwards, None for nothing. The edits are tried
    first, as they keep comments in their places; what they give must have those values.
    """

    change: Change
    values: Mapping[tuple[str, ...], Any]
    edits: tuple[Pair | Insertion, ...]


# Find what a document of one format holds that the next one does not, in the order of the file.
Step = Callable[[Mapping[str, Any], Mapping[Any, Position]], Iterator[Rewriting]]
Steps = Mapping[int, tuple[Step, ...]]


def upgrade(text: str, steps: Steps | None = None, newest: int = FORMAT) -> tuple[str, list[Change]]:
    """Return a file's text in the format `newest`, and what was changed in it.

    `steps[n]` rewrite what files of format n may hold and those of n + 1 may not; those of the newest
    format are for spellings that were given up while it was current. A file that gives no number, or one
    that is newer, stays as it is. Raises `tomli.TOMLDecodeError` for text that is not TOML.
    """
    changes: list[Change] = []
    number = tomli.loads(text).get("fxkit")
    if type(number) is not int or not 1 <= number <= newest:
        return text, changes
    for step in range(number, newest + 1):
        for find in (STEPS if steps is None else steps).get(step, ()):
            text = _rewritten(text, find, changes)
        if step < newest:
            text = _rewritten(text, _next_number, changes)
    return text, changes


def _rewritten(text: str, find: Step, changes: list[Change]) -> str:
    """Make one rewriting after another, each found in the text that the one before left."""
    while True:
        data = tomli.loads(text)
        rewriting = next(find(data, positions(text)), None)
        if rewriting is None:
            return text
        text = edited(text, rewriting.values, rewriting.edits)
        changes.append(rewriting.change)
        if rewriting.change.path == "fxkit":
            return text


def _next_number(data: Mapping[str, Any], found: Mapping[Any, Position]) -> Iterator[Rewriting]:
    number = data["fxkit"]
    change = Change(line=found["fxkit",].key.line, path="fxkit", before=str(number), after=str(number + 1))
    pair = Pair(path=("fxkit",), key="fxkit", value=str(number + 1))
    yield Rewriting(change=change, values={("fxkit",): number + 1}, edits=(pair,))


def _tables(data: Mapping[str, Any], place: str, types: tuple[str, ...]) -> Iterator[tuple[str, Any]]:
    """Yield the named tables at a place whose type is one of `types`."""
    named = data.get(place)
    for name, table in named.items() if isinstance(named, dict) else ():
        if isinstance(table, dict) and str(table.get("type", "")).removeprefix("fxkit/") in types:
            yield name, table


def conditions(data: Mapping[str, Any], found: Mapping[Any, Position]) -> Iterator[Rewriting]:
    """Find the numbers of conditions of a network, which are its conditioning now."""
    old = CONDITIONS.name
    for name, table in _tables(data, "nodes", CONDITIONS.plugins):
        size = table.get(old)
        if type(size) is not int or size < 0:
            continue
        path = ("nodes", name, old)
        told = {"type": "concat", "size": size} if size and "conditioning" not in table else None
        values: dict[tuple[str, ...], Any] = {
            path: None,
            **({("nodes", name, "conditioning"): told} if told else {}),
        }
        after = f"conditioning = {toml(told)}" if told else "nothing"
        change = Change(
            line=found[path].key.line, path=dotted(path[:2]), before=f"{old} = {size}", after=after
        )
        edits = (Pair(path=path, key="conditioning", value=toml(told)),) if told else ()
        yield Rewriting(change=change, values=values, edits=edits)


def parameter_plots(data: Mapping[str, Any], found: Mapping[Any, Position]) -> Iterator[Rewriting]:
    """Find the callback that drew two things, which are drawn by two callbacks now."""
    first, second = PARAMETER_PLOTS.now
    for name, table in _tables(data, "callbacks", (PARAMETER_PLOTS.name,)):
        other = _free(f"{name}-tracks", data["callbacks"])
        twin = {**table, "type": second}
        path = ("callbacks", name, "type")
        change = Change(
            line=found[path].key.line,
            path=dotted(path[:2]),
            before=f'type = "{table["type"]}"',
            after=f'type = "{first}", and {dotted(("callbacks", other))} with type = "{second}"',
        )
        edits = (
            Pair(path=path, key="type", value=toml(first)),
            Insertion(after=path[:2], table=("callbacks", other), values=twin),
        )
        values = {path: first, ("callbacks", other): twin}
        yield Rewriting(change=change, values=values, edits=edits)


def _free(name: str, taken: Mapping[str, Any]) -> str:
    number, found = 2, name
    while found in taken:
        found, number = f"{name}-{number}", number + 1
    return found


STEPS: Steps = {1: (conditions, parameter_plots)}
