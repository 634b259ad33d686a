"""Say in JSON Schema which values an option's type, bounds and choices allow.

Draft 7 in the shapes that both taplo and tombi read: `enum` of one rather than `const`, nothing beside
a `$ref`, exclusive bounds as numbers.
"""

from __future__ import annotations

import collections.abc
import json
import pathlib
import re
import types
import typing
from collections.abc import Callable, Mapping, Sequence
from typing import Any

import attrs

from fxkit.spec import Bounds, Option, OptionMeta

JSON = dict[str, Any]
CHAIN = "#/definitions/chain"

_TYPES: Mapping[Any, str] = {
    bool: "boolean",
    int: "integer",
    float: "number",
    str: "string",
    pathlib.Path: "string",
}
_LIMITS = {"ge": "minimum", "gt": "exclusiveMinimum", "le": "maximum", "lt": "exclusiveMaximum"}
_QUOTED = re.compile(r'"([^"]+)"')


def typed(hint: Any, meta: OptionMeta, nested: Callable[[type], JSON]) -> JSON:
    """Return the schema of the values of an option type; `nested` writes that of a spec inside.

    Bounds and choices hold for each number or text in a value. Raises `TypeError` for a type that no
    option can have.
    """
    origin, args = typing.get_origin(hint), typing.get_args(hint)
    if hint is Any:
        return {"$ref": CHAIN}
    if hint in _TYPES:
        return _scalar(hint, meta)
    if origin is typing.Literal:
        return _one_of([one for one in args if not meta.choices or one in meta.choices])
    if origin in (typing.Union, types.UnionType):
        return _union([typed(one, meta, nested) for one in args if one is not type(None)])
    if origin is tuple:
        return _list(args, [typed(one, meta, nested) for one in args if one is not ...])
    if origin is collections.abc.Mapping:
        return {"type": "object", "additionalProperties": typed(args[1], meta, nested)}
    if isinstance(hint, type) and attrs.has(hint):
        return nested(hint)
    raise TypeError(f"an option cannot have the type {hint!r}")


def number(bounds: Bounds) -> JSON:
    """Return the schema of a number within bounds."""
    return {"type": "number", **_limits(bounds)}


def described(option: Option, body: JSON) -> JSON:
    """Return a schema with the option's help, unit, range, default and examples."""
    found: JSON = {"description": _description(option), **body}
    default = None if option.required else plain(option.default)
    if default is not None and _is_json(default):
        found["default"] = default
    examples = _QUOTED.findall(option.meta.help) if body.get("type") == "string" else []
    if examples and "enum" not in body:
        found["examples"] = list(dict.fromkeys(examples))
    return found


def plain(value: Any) -> Any:
    """Return an option's value as JSON holds it; of a spec inside it, the options that are set."""
    if attrs.has(type(value)):
        fields = attrs.asdict(value, recurse=False)
        return {name: plain(item) for name, item in fields.items() if item is not None}
    if isinstance(value, Mapping):
        return {str(name): plain(item) for name, item in value.items()}
    if isinstance(value, (tuple, list)):
        return [plain(item) for item in value]
    return str(value) if isinstance(value, pathlib.PurePath) else value


def _is_json(value: Any) -> bool:
    """Tell whether JSON can hold a value: not an infinite number, nor an object of a plugin's own."""
    try:
        json.dumps(value, allow_nan=False)
    except (TypeError, ValueError):
        return False
    return True


def _description(option: Option) -> str:
    meta = option.meta
    limits = "" if meta.bounds.is_open else str(meta.bounds)
    notes = [", ".join(filter(None, (meta.unit, limits))), "required" if option.required else ""]
    return f"{meta.help}{''.join(f' ({note})' for note in notes if note)}"


def _scalar(hint: type, meta: OptionMeta) -> JSON:
    if meta.choices:
        return _one_of(meta.choices)
    return {"type": _TYPES[hint], **(_limits(meta.bounds) if hint in (int, float) else {})}


def _limits(bounds: Bounds) -> JSON:
    return {_LIMITS[side]: limit for side, limit in attrs.asdict(bounds).items() if limit is not None}


def _one_of(values: Sequence[Any]) -> JSON:
    kinds = list(dict.fromkeys(_TYPES[type(value)] for value in values))
    return {"type": kinds[0] if len(kinds) == 1 else kinds, "enum": list(values)}


def _union(members: Sequence[JSON]) -> JSON:
    return members[0] if len(members) == 1 else {"oneOf": list(members)}


def _list(args: Sequence[Any], members: Sequence[JSON]) -> JSON:
    if args[-1] is ...:
        return {"type": "array", "items": members[0]}
    return {"type": "array", "items": list(members), "minItems": len(members), "maxItems": len(members)}
