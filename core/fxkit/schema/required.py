"""Say in JSON Schema what must be there in a file that extends no other.

This lies over the schema of what may be there, and so repeats none of it.
"""

from __future__ import annotations

import typing
from collections.abc import Mapping, Sequence
from typing import Any

import attrs

from fxkit.experiment.presets import KEY, presets_of
from fxkit.experiment.tables import ARRAYS, PLACES, TABLES, Place
from fxkit.schema.plugin_tables import Offer, PluginTables, definition_head, held_keys
from fxkit.schema.value import JSON
from fxkit.spec import Option, describe

NAME = "whole"
# tombi warns of every key that a schema, even one that lies over another, does not allow in words.
OPEN: JSON = {"additionalProperties": True}


@attrs.frozen
class Requirements:
    """Write what must be there, as definitions beside those of `tables`."""

    tables: PluginTables

    def whole(self) -> JSON:
        """Return the schema that every document without parents meets beside the general one."""
        properties = {name: self._options(cls, shared=True) for name, cls in TABLES.items()}
        needed = [name for name, cls in TABLES.items() if any(one.required for one in describe(cls).options)]
        for name, cls in ARRAYS.items():
            properties[name] = {"items": self._options(cls, shared=True)}
        for place in PLACES:
            properties[place.path] = self._place(place)
            if place.required:
                needed.append(place.path)
        return _needs(needed, properties)

    def _place(self, place: Place) -> JSON:
        table = self._plugin(place.kind, place.keys)
        if not place.named:
            return table
        return {"additionalProperties": table, **({"minProperties": 1} if place.required else {})}

    def _plugin(self, kind: str, keys: type) -> JSON:
        """Return the reference to what a table of a plugin of `kind` needs."""
        name = f"{NAME}.{definition_head(kind, keys)}"
        return self.tables.define(name, lambda: self._any_plugin(kind, keys))

    def _any_plugin(self, kind: str, keys: type) -> JSON:
        cases = [
            {"if": _named(offer), "then": needs}
            for offer in self.tables.offers(kind)
            if (needs := self._offer(offer))
        ]
        own = self._options(keys, shared=True)
        return {
            **OPEN,
            **own,
            "required": ["type", *own.get("required", ())],
            **({"allOf": cases} if cases else {}),
        }

    def _offer(self, offer: Offer) -> JSON:
        presets = presets_of(offer.spec)
        # What a preset holds of a table need not be repeated in it.
        filled = {name for values in presets.values() for name in values}
        needs = self._options(offer.spec, shared=False, apart=filled)
        required = needs.get("required", [])
        if not required or not presets:
            return needs
        choices = [{"required": required}]
        for name, values in presets.items():
            rest = [one for one in required if one not in values]
            choices.append({"properties": {KEY: {"enum": [name]}}, "required": [KEY, *rest]})
        return {**{key: value for key, value in needs.items() if key != "required"}, "anyOf": choices}

    def _options(self, cls: type, *, shared: bool, apart: typing.Collection[str] = ()) -> JSON:
        """Return what a table of a spec class's options needs; nothing when all of it may be left out."""
        options = describe(cls).options
        inner = {one.name: self._option(one, shared) for one in options if one.name not in apart}
        return _needs([one.name for one in options if one.required], inner)

    def _option(self, option: Option, shared: bool) -> JSON:
        if not option.meta.kind:
            return self._within(option.type, shared)
        table = self._plugin(option.meta.kind, held_keys(option.meta.kind, shared))
        if option.takes_many:
            return {"items": table}
        return {"additionalProperties": table} if option.takes_names else table

    def _within(self, hint: Any, shared: bool) -> JSON:
        """Return what the tables in a value of an option type need."""
        if isinstance(hint, type) and attrs.has(hint):
            return self._options(hint, shared=shared)
        origin, args = typing.get_origin(hint), typing.get_args(hint)
        needs = [found for one in args if (found := self._within(one, shared))]
        if not needs:
            return {}
        if origin is tuple:
            return {"items": needs[0]}
        return needs[0] if type(None) in args else {"additionalProperties": needs[0]}


def _named(offer: Offer) -> JSON:
    return {"properties": {"type": {"enum": list(offer.names)}}, "required": ["type"]}


def _needs(required: Sequence[str], properties: Mapping[str, JSON]) -> JSON:
    inner = {name: body for name, body in properties.items() if body}
    if not required and not inner:
        return {}
    needs: JSON = {**OPEN, "required": list(required)} if required else {**OPEN}
    return {**needs, "properties": inner} if inner else needs
