"""Write the schemas of tables: the kernel's own, and those of every installed plugin."""

from __future__ import annotations

import json
from collections.abc import Callable, Mapping, Sequence
from functools import partial
from typing import Any

import attrs

from fxkit.catalog import IN_TREE, Catalog
from fxkit.errors import PluginError
from fxkit.experiment.presets import KEY, presets_of
from fxkit.experiment.tables import PLACES, NoKeys
from fxkit.kinds import kind_named
from fxkit.schema.value import JSON, described, number, typed
from fxkit.spec import Option, describe
from fxkit_registry import Entry

_PLACE = {place.kind: place for place in reversed(PLACES) if place.keys is not NoKeys}
_SHARED = {place.kind for place in PLACES if place.named}


@attrs.frozen(kw_only=True)
class Offer:
    """Hold one plugin that can be named: its spellings and its spec class."""

    entry: Entry
    names: tuple[str, ...]
    spec: type


@attrs.define
class PluginTables:
    """Write schemas, and collect the definitions that they refer to.

    `left_out` holds, for each plugin that cannot be described, the name and the reason.
    """

    catalog: Catalog
    definitions: dict[str, JSON] = attrs.field(factory=dict, init=False)
    left_out: dict[str, str] = attrs.field(factory=dict, init=False)
    _offers: dict[str, tuple[Offer, ...]] = attrs.field(factory=dict, init=False)

    def offers(self, kind: str) -> tuple[Offer, ...]:
        """Return the usable plugins of a kind (its plural)."""
        if kind not in self._offers:
            usable = [one for one in self.catalog.entries if one.kind == kind]
            found = [self._offer(one) for one in usable if one.status in ("ok", "ambiguous")]
            self._offers[kind] = tuple(one for one in found if one is not None)
        return self._offers[kind]

    def _offer(self, entry: Entry) -> Offer | None:
        names = (entry.name, entry.qualified) if entry.status == "ok" else (entry.qualified,)
        try:
            spec = self.catalog.spec(entry)
            presets_of(spec)
            for option in describe(spec).options:
                if not option.meta.kind:
                    typed(option.type, option.meta, lambda cls: {})
        # Whatever a plugin does wrong costs that plugin alone.
        except Exception as error:
            told = str(error) if isinstance(error, PluginError) else f"{type(error).__name__}: {error}"
            self.left_out[f"{entry.kind} {entry.qualified}"] = told
            return None
        return Offer(entry=entry, names=names, spec=spec)

    def table(self, cls: type, *, shared: bool = True) -> JSON:
        """Return the schema of a table of a spec class's options and nothing else."""
        return _table(self._properties(cls, shared))

    def plugin(self, kind: str, keys: type) -> list[JSON]:
        """Return the schemas of which a table of a plugin of `kind` meets exactly one.

        One for each plugin; one for a table without a type, which a file may lay over one that it
        extends; one for the user's own plugins.
        """
        offers = self.offers(kind)
        head = definition_head(kind, keys)
        found = []
        for offer in offers:
            name = f"{head}.{_title(offer.entry)}"
            found.append(self.define(name, partial(self._branch, offer, keys)))
        found.append(self.define(f"{head}.untyped", lambda: self._untyped(offers, keys)))
        found.append(self.define(f"{head}.local", lambda: self._local(keys)))
        return found

    def define(self, name: str, write: Callable[[], JSON]) -> JSON:
        """Return a reference to the definition called `name`, which is written when it is new."""
        if name not in self.definitions:
            # There before it is written, since plugins may hold their own kind.
            self.definitions[name] = {}
            self.definitions[name] = write()
        return {"$ref": f"#/definitions/{name}"}

    def _branch(self, offer: Offer, keys: type) -> JSON:
        summary = f"{describe(offer.spec).summary} ({offer.entry.origin})"
        kind = {"type": "string", "description": summary, "enum": list(offer.names)}
        properties = {"type": kind, **self._properties(keys, True), **self._own(offer)}
        return {"description": summary, **_table(properties), "required": ["type"]}

    def _own(self, offer: Offer) -> dict[str, JSON]:
        presets = presets_of(offer.spec)
        own = {KEY: _preset(presets)} if presets else {}
        return {**own, **self._properties(offer.spec, False)}

    def _untyped(self, offers: Sequence[Offer], keys: type) -> JSON:
        """Return the schema of a table without a type: any option of any plugin of the kind."""
        known: dict[str, dict[str, JSON]] = {}
        for offer in offers:
            for name, body in self._own(offer).items():
                known.setdefault(name, {})[json.dumps(body, sort_keys=True)] = body
        options = {name: _any_of(list(bodies.values())) for name, bodies in known.items()}
        properties = {**self._properties(keys, True), **options}
        summary = "changes to a table of the files that this one extends"
        return {"description": summary, **_table(properties), "not": {"required": ["type"]}}

    def _local(self, keys: type) -> JSON:
        """Return the schema of a table of one of the user's own plugins, whose options are not known."""
        summary = 'a plugin of [plugins.local]: "local/NAME"'
        kind = {"type": "string", "pattern": "^local/", "description": summary}
        properties = {"type": kind, **self._properties(keys, True)}
        return {
            "type": "object",
            "properties": properties,
            "additionalProperties": True,
            "required": ["type"],
        }

    def _properties(self, cls: type, shared: bool) -> dict[str, JSON]:
        return {one.name: described(one, self._option(one, shared)) for one in describe(cls).options}

    def _option(self, option: Option, shared: bool) -> JSON:
        meta = option.meta
        if not meta.kind:
            return typed(option.type, meta, lambda cls: self.table(cls, shared=shared))
        if option.takes_many:
            return {"type": "array", "items": self._held(option, shared)}
        if option.takes_names:
            return {"type": "object", "additionalProperties": self._held(option, shared)}
        return self._held(option, shared)

    def _held(self, option: Option, shared: bool) -> JSON:
        """Return the schema of one plugin's table, or of what may stand in its place."""
        kind = option.meta.kind
        others = [number(option.meta.bounds)] if option.takes_number and not option.takes_many else []
        if shared and kind in _SHARED:
            others.append({"type": "string"})
        return {"oneOf": [*others, *self.plugin(kind, held_keys(kind, shared))]}


def held_keys(kind: str, shared: bool) -> type:
    """Return the kernel's keys of a plugin's table within one of the kernel's own (`shared`) or another."""
    return next((place.keys for place in PLACES if shared and place.kind == kind), NoKeys)


def definition_head(kind: str, keys: type) -> str:
    """Return how the names of definitions start: the place for tables with its keys, else the singular."""
    known = kind_named(kind)
    if keys is not NoKeys and kind in _PLACE:
        return _PLACE[kind].path
    return known.singular if known else kind


def _title(entry: Entry) -> str:
    return entry.name if entry.dist == IN_TREE else f"{entry.dist}.{entry.name}"


def _table(properties: Mapping[str, JSON]) -> JSON:
    return {"type": "object", "properties": dict(properties), "additionalProperties": False}


def _preset(presets: Mapping[str, Mapping[str, Any]]) -> JSON:
    return {"description": "options under one name", "type": "string", "enum": list(presets)}


def _any_of(bodies: Sequence[JSON]) -> JSON:
    return bodies[0] if len(bodies) == 1 else {"anyOf": list(bodies)}
