"""List what `--set` can change in an experiment, as far as it has been typed."""

from __future__ import annotations

import typing
from collections.abc import Iterator, Mapping
from typing import Any

import attrs

from fxkit.catalog import Catalog
from fxkit.errors import PluginError
from fxkit.experiment.presets import KEY, presets_of
from fxkit.experiment.tables import ARRAYS, PLACES, TABLES, NoKeys, Place
from fxkit.spec import Option, describe


@attrs.frozen(kw_only=True)
class Setting:
    """Hold one path of an experiment, what it is for, and the values that are known for it."""

    path: str
    help: str
    values: tuple[str, ...] = ()


@attrs.frozen
class Settings:
    """List the settings of a document, a plain one whose parents are in it."""

    catalog: Catalog
    document: Mapping[str, Any]

    def below(self, prefix: str) -> Iterator[Setting]:
        """Yield every setting that `prefix` may be the beginning of; only what these need is imported."""
        first, dot, _ = prefix.partition(".")
        for name, cls in TABLES.items():
            if dot and first == name:
                yield from self._options(name, cls, _table(self.document, name), shared=True)
        for name, cls in ARRAYS.items():
            for index, item in enumerate(self.document.get(name, ()) if dot and first == name else ()):
                title = f"{name}.{item.get('name', index)}"
                yield from self._options(title, cls, item, shared=True)
        for place in PLACES:
            if not dot or first != place.path:
                continue
            for path, table in self._named(place):
                if prefix.startswith(path) or path.startswith(prefix):
                    yield from self._plugin(path, place.kind, place.keys, table)

    def _named(self, place: Place) -> Iterator[tuple[str, Any]]:
        tables = _table(self.document, place.path)
        if not place.named:
            yield place.path, tables
            return
        for name, one in tables.items():
            yield f"{place.path}.{name}", one

    def tables(self) -> tuple[str, ...]:
        """Return the tables that a path can start with."""
        there = [name for name in (*ARRAYS, *(place.path for place in PLACES)) if name in self.document]
        return (*TABLES, *there)

    def _plugin(self, path: str, kind: str, keys: type, table: Any) -> Iterator[Setting]:
        if not isinstance(table, Mapping):
            return
        names = tuple(one.name for one in self.catalog.entries if one.kind == kind and one.status == "ok")
        yield Setting(path=f"{path}.type", help=f"one of {kind}", values=names)
        yield from self._options(path, keys, table, shared=True)
        try:
            spec = self.catalog.spec(self.catalog.find(kind, str(table.get("type", ""))))
        except PluginError:
            return
        presets = presets_of(spec)
        if presets:
            yield Setting(path=f"{path}.{KEY}", help="options under one name", values=tuple(presets))
        yield from self._options(path, spec, table, shared=False)

    def _options(self, path: str, cls: type, table: Mapping[str, Any], *, shared: bool) -> Iterator[Setting]:
        for option in describe(cls).options:
            place, value = f"{path}.{option.name}", table.get(option.name)
            yield Setting(path=place, help=option.meta.help, values=_values(option))
            if option.meta.kind and not option.takes_many:
                keys = next((one.keys for one in PLACES if shared and one.kind == option.meta.kind), NoKeys)
                inner = _inner(value) if option.takes_names else {"": value}
                for name, one in inner.items():
                    yield from self._plugin(f"{place}.{name}".rstrip("."), option.meta.kind, keys, one)
            elif option.takes_names:
                for cls in _specs(option.type):
                    for name, one in _inner(value).items():
                        yield from self._options(f"{place}.{name}", cls, _inner(one), shared=shared)


def _table(document: Mapping[str, Any], name: str) -> Mapping[str, Any]:
    return _inner(document.get(name))


def _inner(value: Any) -> Mapping[str, Any]:
    return value if isinstance(value, Mapping) else {}


def _elements(hint: Any) -> tuple[type, ...]:
    """Return the classes that a type is made of."""
    if isinstance(hint, type) and not typing.get_args(hint):
        return (hint,)
    return tuple(one for arg in typing.get_args(hint) for one in _elements(arg))


def _specs(hint: Any) -> list[type]:
    return [one for one in _elements(hint) if attrs.has(one)]


def _values(option: Option) -> tuple[str, ...]:
    choices = option.meta.choices or _literals(option.type)
    return ("true", "false") if bool in _elements(option.type) else tuple(map(str, choices))


def _literals(hint: Any) -> tuple[Any, ...]:
    args = typing.get_args(hint)
    if typing.get_origin(hint) is typing.Literal:
        return args
    return tuple(one for arg in args for one in _literals(arg))
