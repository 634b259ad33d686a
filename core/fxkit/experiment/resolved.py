"""Write a checked experiment out in full, so that reading it again gives the same experiment."""

from __future__ import annotations

import hashlib
import json
import pathlib
from collections.abc import Iterator, Mapping
from typing import Any

import attrs
import tomli_w

from fxkit.experiment.document import FORMAT
from fxkit.experiment.model import Blueprint, Part
from fxkit.experiment.tables import ARRAYS, PLACES, TABLES
from fxkit.spec import describe


def resolve(tables: Mapping[str, Any], parts: Mapping[str, Mapping[str, Part]]) -> dict[str, Any]:
    """Return the document with every default written out and every path absolute.

    Options without a value stay absent, as TOML has no null; so does a path that is left at a
    relative default, which is relative to wherever the plugin runs.
    """
    document: dict[str, Any] = {"fxkit": FORMAT}
    document.update({name: _kernel_table(tables[name]) for name in TABLES if name in tables})
    document.update(
        {name: [_kernel_table(one) for one in tables[name]] for name in ARRAYS if tables.get(name)}
    )
    for place in PLACES:
        named = {name: _part_table(part) for name, part in parts.get(place.path, {}).items()}
        if named:
            document[place.path] = named if place.named else named[""]
    return document


def resolve_model(blueprint: Blueprint) -> dict[str, Any]:
    """Return the tables that make a model with every default written out."""
    tables = {name: getattr(blueprint, name) for name in ("run", "model", "plugins")}
    return resolve(tables, {name: getattr(blueprint, name) for name in ("features", "controllers", "nodes")})


def dump_toml(resolved: Mapping[str, Any]) -> str:
    """Write a resolved document as TOML."""
    return tomli_w.dumps(resolved)


def config_digest(resolved: Mapping[str, Any]) -> str:
    """Return the SHA-256 of a resolved document; the order of tables counts, their layout does not."""
    text = json.dumps(_ordered(resolved), ensure_ascii=True, allow_nan=False, separators=(",", ":"))
    return hashlib.sha256(text.encode()).hexdigest()


def _ordered(value: Any) -> Any:
    """Put the plain entries of each table before its tables, as TOML writes them."""
    if isinstance(value, Mapping):
        entries = sorted(value.items(), key=lambda entry: isinstance(entry[1], Mapping))
        return {name: _ordered(entry) for name, entry in entries}
    return [_ordered(item) for item in value] if isinstance(value, (list, tuple)) else value


def _kernel_table(table: Any) -> dict[str, Any]:
    return dict(_options(table, {}, ""))


def _part_table(part: Part) -> dict[str, Any]:
    inner = {one.path: one for one in part.inner}
    return {
        "type": part.name,
        **dict(_options(part.keys, {}, "")),
        **dict(_options(part.spec, inner, part.path)),
    }


def _options(spec: Any, inner: Mapping[str, Part], path: str) -> Iterator[tuple[str, Any]]:
    for option in describe(type(spec)).options:
        value = getattr(spec, option.name)
        place = f"{path}.{option.name}"
        if value is not None and not _is_relative_default(value, option.default):
            yield option.name, _plain(value, inner, place)


def _is_relative_default(value: Any, default: Any) -> bool:
    return isinstance(value, pathlib.Path) and value == default and not value.is_absolute()


def _plain(value: Any, inner: Mapping[str, Part], path: str) -> Any:
    if path in inner:
        return _part_table(inner[path])
    if isinstance(value, Part):
        return _part_table(value)
    if isinstance(value, Mapping):
        return {name: _plain(item, inner, f"{path}.{name}") for name, item in value.items()}
    if isinstance(value, (tuple, list)):
        return [_plain(item, inner, f"{path}[{index}]") for index, item in enumerate(value)]
    if isinstance(value, pathlib.Path):
        return str(value)
    return dict(_options(value, inner, path)) if attrs.has(type(value)) else value
