"""Decide which Python types and defaults can be options of an experiment file, and how they appear there."""

from __future__ import annotations

import collections.abc
import inspect
import math
import pathlib
import types
import typing
from typing import Any

from fxkit.spec import REQUIRED

_SCALARS = (bool, int, float, str, pathlib.Path)
_SEQUENCES = (list, tuple, collections.abc.Sequence)


def expressible(hint: Any, default: Any) -> tuple[Any, Any] | None:
    """Return a parameter's type and default as an option, or None when TOML cannot express it.

    `hint` is the annotation or None, which leaves it to the default's own type; `default` is the
    default or `inspect.Parameter.empty`. Lists become tuples, as options are immutable.
    """
    found = option_type(type(default) if hint is None else hint)
    if found is None and isinstance(default, (list, tuple)) and default:
        found = option_type(tuple[type(default[0]), ...])  # type: ignore[misc]
    if found is None:
        return None
    if default is inspect.Parameter.empty:
        return found, REQUIRED
    if default is None:
        return typing.Optional[found], None  # noqa: UP045
    value = _value(default, found)
    return None if value is None else (found, value)


def option_type(hint: Any) -> Any:
    """Return the option type that an annotation stands for: a scalar, choices or a list of either; or None.

    Of a union, the one member that an option can have counts; int and float together are float.
    """
    origin, args = typing.get_origin(hint), typing.get_args(hint)
    if hint in _SCALARS or origin is typing.Literal:
        return hint
    if origin in (typing.Union, types.UnionType):
        return _of_union(args)
    if origin in _SEQUENCES and len(set(args) - {...}) == 1:
        element = option_type(args[0])
        return None if element is None else tuple[element, ...]  # type: ignore[valid-type]
    return None


def _of_union(members: tuple[Any, ...]) -> Any:
    found = {option_type(member) for member in members} - {None}
    if float in found:
        found -= {int}
    if len(found) != 1:
        return None
    return typing.Optional[found.pop()] if type(None) in members else found.pop()  # noqa: UP045


def _value(default: Any, hint: Any) -> Any:
    """Return `default` as the option type `hint` holds it, or None when it is not of that type."""
    origin, args = typing.get_origin(hint), typing.get_args(hint)
    if origin is typing.Union:
        return _value(default, next(arg for arg in args if arg is not type(None)))
    if origin is typing.Literal:
        return default if default in args else None
    if origin is tuple:
        items = (
            tuple(_value(item, args[0]) for item in default)
            if isinstance(default, (list, tuple))
            else (None,)
        )
        return None if None in items else items
    if hint is float and type(default) in (int, float):
        return float(default) if math.isfinite(default) else None
    return default if type(default) is hint or (hint is pathlib.Path and isinstance(default, hint)) else None
