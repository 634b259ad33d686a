"""Turn trees into the closed set of option types without any coercion.

An int is taken for a float; nothing else stands for anything else. What does not fit is reported
where it was written, every element of a list on its own.
"""

from __future__ import annotations

import collections.abc
import math
import pathlib
import types
import typing
from collections.abc import Callable, Iterable
from typing import Any, Literal

import attrs
import cattrs

from fxkit.experiment.report import Report
from fxkit.experiment.tree import Tree
from fxkit.experiment.wording import hint_text, mismatch, not_one_of
from fxkit.spec import type_text

_SCALARS: frozenset[Any] = frozenset({bool, int, float, str, pathlib.Path})


class Rejected(Exception):
    """Say that a value does not fit and that the reason was reported."""


def unsupported(hint: Any) -> str | None:
    """Return the part of a type that no option can have, or None when all of it is in the closed set."""
    origin, args = typing.get_origin(hint), typing.get_args(hint)
    if hint in _SCALARS or origin is Literal or (isinstance(hint, type) and attrs.has(hint)):
        return None
    if origin is tuple or _is_mapping(hint) or _is_optional(hint) or _is_one_or_several(hint):
        inner = (arg for arg in args if arg not in (..., type(None)))
        return next((wrong for arg in inner if (wrong := unsupported(arg))), None)
    return type_text(hint)


def _is_mapping(hint: Any) -> bool:
    return typing.get_origin(hint) is collections.abc.Mapping and typing.get_args(hint)[0] is str


def _is_optional(hint: Any) -> bool:
    args = typing.get_args(hint)
    return _is_union(hint) and len(args) == 2 and type(None) in args


def _is_one_or_several(hint: Any) -> bool:
    """Tell whether a type is that of one value or a list of such: float | tuple[float, ...]."""
    args = [arg for arg in typing.get_args(hint) if arg is not type(None)]
    return _is_union(hint) and len(args) == 2 and typing.get_args(args[1]) == (args[0], ...)


def _is_union(hint: Any) -> bool:
    return typing.get_origin(hint) in (typing.Union, types.UnionType)


def strict_converter(report: Report, table: Callable[[Tree, type], Any]) -> cattrs.Converter:
    """Make a converter from trees to option types; `table` makes a nested spec of a table.

    `structure(tree, hint)` raises `Rejected` after it has reported everything that does not fit.
    """
    converter = cattrs.Converter(detailed_validation=False)
    hooks = _Hooks(report, converter)
    for scalar in (int, bool, str):
        converter.register_structure_hook(scalar, hooks.scalar)
    converter.register_structure_hook(float, hooks.number)
    converter.register_structure_hook(pathlib.Path, hooks.path)
    by_form: tuple[tuple[Callable[[Any], bool], Callable[[Tree, Any], Any]], ...] = (
        (lambda hint: hint is Any, hooks.names),
        (lambda hint: isinstance(hint, type) and attrs.has(hint), table),
        (lambda hint: typing.get_origin(hint) is Literal, hooks.choice),
        (lambda hint: typing.get_origin(hint) is tuple, hooks.sequence),
        (_is_optional, hooks.optional),
        (_is_one_or_several, hooks.one_or_several),
        (_is_mapping, hooks.mapping),
    )
    for applies, hook in by_form:
        converter.register_structure_hook_func(applies, hook)
    return converter


@attrs.frozen
class _Hooks:
    report: Report
    converter: cattrs.Converter

    def reject(self, tree: Tree, message: str) -> typing.NoReturn:
        self.report.at_value(tree, message)
        raise Rejected

    def scalar(self, tree: Tree, hint: type) -> Any:
        if type(tree.value) is hint or (hint is str and isinstance(tree.value, str)):
            return hint(tree.value)
        self.reject(tree, mismatch(hint_text(hint), tree.value))

    def number(self, tree: Tree, hint: type) -> float:
        if type(tree.value) not in (int, float):
            self.reject(tree, mismatch("float", tree.value))
        if not math.isfinite(tree.value):
            self.reject(tree, f"{tree.value} is not a finite number")
        return float(tree.value)

    def path(self, tree: Tree, hint: type) -> pathlib.Path:
        if not isinstance(tree.value, str):
            self.reject(tree, mismatch("path", tree.value))
        return tree.mark.folder / pathlib.Path(tree.value).expanduser()

    def choice(self, tree: Tree, hint: Any) -> Any:
        choices = typing.get_args(hint)
        value = str(tree.value) if isinstance(tree.value, str) else tree.value
        for one in choices:
            if type(one) is type(value) and one == value:
                return one
        self.reject(tree, not_one_of(tree.value, choices))

    def names(self, tree: Tree, hint: Any) -> Any:
        """Structure a name or a list of such: what a chain is made of."""
        if isinstance(tree.value, tuple):
            return self.each((item, hint) for item in tree.value)
        if not isinstance(tree.value, str):
            self.reject(tree, mismatch("the name of a node or a list of names", tree.value))
        return str(tree.value)

    def sequence(self, tree: Tree, hint: Any) -> tuple[Any, ...]:
        args = typing.get_args(hint)
        if not isinstance(tree.value, tuple):
            self.reject(tree, mismatch(hint_text(hint), tree.value))
        if args[-1] is ...:
            return self.each((item, args[0]) for item in tree.value)
        if len(args) != len(tree.value):
            self.reject(tree, f"expected a list of {len(args)} values, got {len(tree.value)}")
        return self.each(zip(tree.value, args, strict=True))

    def optional(self, tree: Tree, hint: Any) -> Any:
        inner = next(arg for arg in typing.get_args(hint) if arg is not type(None))
        return self.converter.structure(tree, inner)

    def one_or_several(self, tree: Tree, hint: Any) -> Any:
        one, several = (arg for arg in typing.get_args(hint) if arg is not type(None))
        if isinstance(tree.value, tuple):
            return self.converter.structure(tree, several)
        if one is float and type(tree.value) not in (int, float):
            self.reject(tree, mismatch(hint_text(hint), tree.value))
        return self.converter.structure(tree, one)

    def mapping(self, tree: Tree, hint: Any) -> dict[str, Any]:
        if not tree.is_table:
            self.reject(tree, mismatch("table", tree.value))
        element = typing.get_args(hint)[1]
        values = self.each((entry, element) for _, entry in tree.items())
        return dict(zip(tree.value, values, strict=True))

    def each(self, items: Iterable[tuple[Tree, Any]]) -> tuple[Any, ...]:
        values = []
        complete = True
        for tree, hint in items:
            try:
                values.append(self.converter.structure(tree, hint))
            except Rejected:
                complete = False
        if not complete:
            raise Rejected
        return tuple(values)
