"""Write the schema of a whole experiment file."""

from __future__ import annotations

import json
from collections.abc import Mapping

import attrs

from fxkit import __version__
from fxkit.catalog import Catalog
from fxkit.experiment.document import FORMAT
from fxkit.experiment.tables import ARRAYS, PLACES, TABLES, Place
from fxkit.schema.plugin_set import mark, plugin_set
from fxkit.schema.plugin_tables import PluginTables
from fxkit.schema.required import NAME, OPEN, Requirements
from fxkit.schema.value import JSON
from fxkit.spec import describe

DIALECT = "http://json-schema.org/draft-07/schema#"
TABLE_NAME = "^[a-z0-9][a-z0-9_-]*$"

# The keys outside of the tables.
HEAD: Mapping[str, JSON] = {
    "fxkit": {"description": "format of this file", "type": "integer", "enum": [FORMAT]},
    "extends": {
        "description": "files that this one is laid over, relative to it, or base/NAME.toml, which ship;"
        " a table gives each a name",
        "oneOf": [
            {"type": "string"},
            {"type": "array", "items": {"type": "string"}},
            {"type": "object", "additionalProperties": {"type": "string"}},
        ],
        "examples": [["base/train.toml"]],
    },
    "remove": {
        "description": "paths of what the extended files hold and this one does not want",
        "type": "array",
        "items": {"type": "string"},
        "examples": [["callbacks.listen"]],
    },
}


@attrs.frozen(kw_only=True)
class Schema:
    """Hold a schema, and the installed plugins that it leaves out with the reason of each."""

    document: JSON
    left_out: Mapping[str, str]

    def text(self) -> str:
        """Return the schema as a JSON file has it."""
        return json.dumps(self.document, ensure_ascii=False, allow_nan=False, indent=1) + "\n"


def experiment_schema(catalog: Catalog | None = None) -> Schema:
    """Return the schema of experiment files with the installed plugins, by importing their specs.

    It allows what the reader reads. A file without `extends` must be whole; in one with it, anything
    may be left out.
    """
    catalog = catalog or Catalog.installed()
    tables = PluginTables(catalog)
    properties = {**HEAD, **{name: _table(tables, cls) for name, cls in TABLES.items()}}
    properties.update({name: _array(tables, cls) for name, cls in ARRAYS.items()})
    properties.update({place.path: _place(tables, place) for place in PLACES})
    tables.define("chain", _chain)
    tables.define(NAME, Requirements(tables).whole)
    document = {
        "$schema": DIALECT,
        "$comment": f"{mark(plugin_set(catalog))}; written by fxkit schema of fxkit {__version__}",
        "title": "fxkit experiment",
        "type": "object",
        "properties": properties,
        "additionalProperties": False,
        "required": ["fxkit"],
        "if": {"not": {"required": ["extends"]}, **OPEN},
        "then": {"$ref": f"#/definitions/{NAME}"},
        "definitions": dict(sorted(tables.definitions.items())),
    }
    return Schema(document=document, left_out=dict(sorted(tables.left_out.items())))


def _table(tables: PluginTables, cls: type) -> JSON:
    return {"description": describe(cls).summary, **tables.table(cls)}


def _array(tables: PluginTables, cls: type) -> JSON:
    return {"description": describe(cls).summary, "type": "array", "items": tables.table(cls)}


def _place(tables: PluginTables, place: Place) -> JSON:
    branches = tables.plugin(place.kind, place.keys)
    if not place.named:
        return {"description": f"one of {place.kind}", "type": "object", "oneOf": branches}
    return {
        "description": f"{place.kind} by name",
        "type": "object",
        "propertyNames": {"pattern": TABLE_NAME},
        "additionalProperties": {"type": "object", "oneOf": branches},
    }


def _chain() -> JSON:
    several = {"type": "array", "items": {"$ref": "#/definitions/chain"}}
    return {"oneOf": [{"type": "string"}, several]}
