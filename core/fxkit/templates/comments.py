"""Find what to say of a value in one line: what the template's author says, else the option's help."""

from __future__ import annotations

import functools
import pathlib
import re
import typing
from collections.abc import Mapping
from typing import Any

import attrs

from fxkit.catalog import Catalog
from fxkit.errors import PluginError
from fxkit.experiment.model import Origin
from fxkit.experiment.tables import ARRAYS, PLACES, TABLES, ParameterKeys, Place
from fxkit.experiment.tree import Tree
from fxkit.experiment.wording import range_text
from fxkit.spec import Option, OptionMeta, describe
from fxkit.templates.template import leading_comment

# A value up to its trailing comment, which no quoted "#" begins.
_TRAILING = re.compile(r"""(?:[^#"']|"(?:[^"\\]|\\.)*"|'[^']*')*#\s*(.*)""")
# A bound that nobody comes near.
_FAR = 1e9
_PRESET = "a set of options under one name; options beside it replace single ones"
_PLACES: Mapping[str, Place] = {place.path: place for place in PLACES}


@attrs.define
class Comments:
    """Explain values, each option once."""

    catalog: Catalog
    _said: set[tuple[str, ...]] = attrs.field(factory=set)

    def of_value(self, tree: Tree, table: Tree) -> str:
        """Return what to write behind a value: `table` is the table of its section."""
        written = trailing(tree)
        # Of tables that are one value, the author's words stand behind the last thing in them.
        if not written and tree.is_table:
            written = next((found for _, leaf in tree.leaves() if (found := trailing(leaf))), "")
        return written or self.help(tree, table)

    def help(self, tree: Tree, table: Tree) -> str:
        """Return what the option's declaration says, and nothing when it was said before."""
        path = tuple(str(part) for part in tree.mark.path)
        if path == ("fxkit",):
            return self._once(path, "number of this file's format")
        section = tuple(str(part) for part in table.mark.path)
        name = path[len(section)]
        kind = _PLACES[section[0]].kind if section and section[0] in _PLACES else ""
        plugin = _type(table)
        if name == "type":
            return self._once((kind, plugin), self._summary(kind, plugin))
        option, owner = self._option(section, name, kind, plugin)
        if option is None:
            return self._once(("preset", plugin), _PRESET) if name == "preset" else ""
        inner = option.meta.kind and _type(tree)
        if inner:
            return self._once((option.meta.kind, inner), self._of_inner(option, inner))
        if path[len(section) :][:1] == ("parameters",) and len(path) > len(section) + 2:
            option, owner = describe(ParameterKeys).option(path[-1]), "parameters"
        return "" if option is None else self._once((owner, option.name), help_text(option))

    def _of_inner(self, option: Option, plugin: str) -> str:
        summary = self._summary(option.meta.kind, plugin)
        return f"{_clause(option.meta.help.split(';')[0].split(':')[0])}: {summary}"

    def _option(
        self, section: tuple[str, ...], name: str, kind: str, plugin: str
    ) -> tuple[Option | None, str]:
        """Return the option that a key is, and whose it is: the kernel's or the plugin's."""
        keys = _PLACES[section[0]].keys if kind else {**TABLES, **ARRAYS}.get(section[0])
        own = describe(keys).option(name) if keys else None
        if own is not None or not kind:
            return own, section[0]
        spec = self._spec(kind, plugin)
        return (describe(spec).option(name) if spec else None), f"{kind}:{plugin}"

    def _summary(self, kind: str, plugin: str) -> str:
        spec = self._spec(kind, plugin)
        return _clause(describe(spec).summary) if spec else ""

    def _spec(self, kind: str, plugin: str) -> type | None:
        try:
            return self.catalog.spec(self.catalog.find(kind, plugin))
        except PluginError:
            return None

    def _once(self, what: tuple[str, ...], text: str) -> str:
        if what in self._said:
            return ""
        self._said.add(what)
        return text


def _type(table: Tree) -> str:
    found = table.get("type")
    return str(found.value) if found else ""


def help_text(option: Option) -> str:
    """Return an option's help with its range, its choices or its unit."""
    unit = "" if option.meta.unit in option.meta.help.split() else option.meta.unit
    limits = _limits(option.meta) or _choices(option.type) or unit
    return _clause(option.meta.help) + (f" ({limits})" if limits else "")


def _limits(meta: OptionMeta) -> str:
    """Return the choices, or a range that tells something: one with two ends that are within reach."""
    bounds = meta.bounds
    ranged = bounds.ge is not None and bounds.le is not None and bounds.le < _FAR
    return range_text(meta) if meta.choices or ranged else ""


def _choices(hint: Any) -> str:
    chosen = [one for one in (hint, *typing.get_args(hint)) if typing.get_origin(one) is typing.Literal]
    return " or ".join(f'"{name}"' for name in typing.get_args(chosen[0])) if chosen else ""


def _clause(text: str) -> str:
    """Return a sentence as a clause: no full stop, no capital unless it belongs to a name."""
    text = text.strip().rstrip(".")
    small = len(text) > 1 and text[1].islower()
    return text[0].lower() + text[1:] if small else text


def trailing(tree: Tree) -> str:
    """Return the comment behind a value in the file where it was written."""
    line = _line(tree.mark.value, tree.mark.folder)
    match = _TRAILING.fullmatch(line)
    return match[1].strip() if match else ""


def above(tree: Tree) -> tuple[str, ...]:
    """Return the lines of comment right above a key or a table's header, without their signs."""
    lines, number = _lines(tree.mark.key, tree.mark.folder), tree.mark.key.line
    first = number - 1
    while first > 0 and lines[first - 1].startswith("#"):
        first -= 1
    # The comment that a file begins with speaks of the file.
    if number == 0 or first < len(leading_comment("\n".join(lines))):
        return ()
    return tuple(line.lstrip("# ").rstrip() for line in lines[first : number - 1])


def _line(origin: Origin, folder: pathlib.Path) -> str:
    lines = _lines(origin, folder)
    return lines[origin.line - 1] if origin.line else ""


def _lines(origin: Origin, folder: pathlib.Path) -> tuple[str, ...]:
    return _read(folder / pathlib.Path(origin.file).name) if origin.line else ()


@functools.lru_cache(maxsize=64)
def _read(path: pathlib.Path) -> tuple[str, ...]:
    return tuple(path.read_text(encoding="utf-8").splitlines())
