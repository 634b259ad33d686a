"""List every value of an experiment with its option and where it came from."""

from __future__ import annotations

import pathlib
from collections.abc import Iterator, Mapping
from typing import Any

import attrs

from fxkit.config.subject import Subject
from fxkit.experiment.model import Origin, Part
from fxkit.experiment.positions import KeyPath, dotted
from fxkit.experiment.presets import KEY, presets_of
from fxkit.experiment.shipped import shipped_folder
from fxkit.experiment.tables import ARRAYS, PLACES, TABLES
from fxkit.experiment.tree import Tree
from fxkit.spec import Option, describe


@attrs.frozen(kw_only=True)
class Entry:
    """Hold one value.

    `value` is as TOML holds it, None where an option is left out that has no default. `option` is None for
    `type`. `origin` is where the value was written, or the preset that
    stands for it, named in `preset`; None for a default, and then `root` is the path of the outermost
    option that no file writes: this one, or a table around it. `owner` is the plugin, empty for the kernel.
    """

    path: KeyPath
    value: Any
    root: KeyPath
    option: Option | None = None
    owner: str = ""
    origin: Origin | None = None
    preset: str = ""

    @property
    def name(self) -> str:
        """Return the path as TOML spells it."""
        return dotted(self.path)

    @property
    def is_default(self) -> bool:
        """Tell whether the value is what the option has when nothing is written."""
        return self.option is not None and self.value == _plain(self.option.default)

    @property
    def source(self) -> str:
        """Say where the value came from: "FILE:LINE", "--set #1", a preset there, or a default."""
        if self.origin is None:
            return f"default of {self.owner}" if self.owner else "default"
        line = f":{self.origin.line}" if self.origin.line else ""
        place = f"{_brief(self.origin.file)}{line}"
        return f'preset "{self.preset}" in {place}' if self.preset else place


def entries(subject: Subject) -> Iterator[Entry]:
    """Yield every value of an experiment, table by table, defaults and left-out options too."""
    found, walk = subject.experiment, _Walk(subject)
    for name in TABLES:
        yield from walk.options(getattr(found, name), (name,), _Owner())
    for name in ARRAYS:
        for index, table in enumerate(found.phases):
            yield from walk.options(table, (name, index), _Owner())
    for place in PLACES:
        parts = getattr(found, place.path)
        named = parts.items() if place.named else [("", parts)]
        for name, part in named:
            yield from walk.part(part, (place.path, name) if name else (place.path,))


@attrs.frozen(kw_only=True)
class _Owner:
    """Say whose options they are, which plugins they hold, and what a preset says of them."""

    name: str = ""
    inner: Mapping[str, Part] = attrs.field(factory=dict)
    preset: Tree | None = None
    stands_for: Mapping[str, Any] = attrs.field(factory=dict)


@attrs.frozen
class _Walk:
    subject: Subject

    def part(self, part: Part, path: KeyPath) -> Iterator[Entry]:
        yield self.leaf((*path, "type"), part.name, _Owner(name=part.plugin))
        yield from self.options(part.keys, path, _Owner())
        preset = self.subject.at((*path, KEY))
        presets = presets_of(type(part.spec)) if preset else {}
        owner = _Owner(
            name=part.plugin,
            inner={one.path: one for one in part.inner},
            preset=preset,
            stands_for=presets.get(str(preset.value), {}) if preset else {},
        )
        yield from self.options(part.spec, path, owner)

    def options(self, spec: Any, path: KeyPath, owner: _Owner) -> Iterator[Entry]:
        for option in describe(type(spec)).options:
            value = getattr(spec, option.name)
            place = (*path, option.name)
            if value is None or _is_relative_default(value, option.default):
                yield self.leaf(place, None, owner, option)
            else:
                yield from self.value(value, place, owner, option)

    def value(self, value: Any, path: KeyPath, owner: _Owner, option: Option) -> Iterator[Entry]:
        if isinstance(value, Part) or dotted(path) in owner.inner:
            yield from self.part(owner.inner.get(dotted(path), value), path)
        elif isinstance(value, Mapping):
            for name, item in value.items():
                yield from self.value(item, (*path, str(name)), owner, option)
        elif isinstance(value, tuple) and any(_holds_options(item) for item in value):
            for index, item in enumerate(value):
                yield from self.value(item, (*path, index), owner, option)
        elif attrs.has(type(value)):
            yield from self.options(value, path, owner)
        else:
            yield self.leaf(path, _plain(value), owner, option)

    def leaf(self, path: KeyPath, value: Any, owner: _Owner, option: Option | None = None) -> Entry:
        written = self.subject.at(path)
        by_preset = owner.preset if written is None and self.in_preset(path, owner) else None
        mark = written or by_preset
        return Entry(
            path=path,
            value=value,
            root=self.root(path),
            option=option,
            owner=owner.name,
            origin=mark.mark.value if mark else None,
            preset=str(by_preset.value) if by_preset else "",
        )

    def in_preset(self, path: KeyPath, owner: _Owner) -> bool:
        depth = len(owner.preset.mark.path) - 1 if owner.preset else len(path)
        return depth < len(path) and path[depth] in owner.stands_for

    def root(self, path: KeyPath) -> KeyPath:
        """Return the shortest path that nothing is written at, less indices at its end."""
        written = next((end for end in range(1, len(path)) if self.subject.at(path[:end]) is None), len(path))
        return path[: max(written, self.first_option(path))]

    def first_option(self, path: KeyPath) -> int:
        """Return the depth of the outermost option: those of tables that no file writes stand alone."""
        return 2 if path[0] in TABLES else 1


def _brief(file: str) -> str:
    """Write the path of a file that ships without the folder in which fxkit is installed."""
    path, installed = pathlib.Path(file), shipped_folder().parent
    return path.relative_to(installed).as_posix() if path.is_relative_to(installed) else file


def _holds_options(value: Any) -> bool:
    return isinstance(value, (Part, Mapping)) or attrs.has(type(value))


def _is_relative_default(value: Any, default: Any) -> bool:
    return isinstance(value, pathlib.Path) and value == default and not value.is_absolute()


def _plain(value: Any) -> Any:
    if isinstance(value, pathlib.Path):
        return str(value)
    return [_plain(item) for item in value] if isinstance(value, (tuple, list)) else value
