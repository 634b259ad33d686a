"""Tell everything that a plugin's spec declares: options, parameters, capabilities, and how to name it."""

from __future__ import annotations

from collections.abc import Iterable, Mapping, Sequence
from typing import Any

import attrs

from fxkit.cli.output import bold, paragraphs, plain, table
from fxkit.context import BuildContext
from fxkit.experiment.presets import presets_of
from fxkit.experiment.tables import PLACES, Place
from fxkit.experiment.wording import inline_toml
from fxkit.kinds import kind_named
from fxkit.spec import Option, describe
from fxkit.traits import ControlTraits
from fxkit_registry import Entry

_DECLARED = ("parameters", "traits", "dims")
_USUAL = (BuildContext(),)
# Kind -> the place of an experiment file where the table of such a plugin stands inside another.
_INLINE: Mapping[str, str] = {
    "optimizers": "[train]\noptimizer",
    "schedules": "[train]\nschedule",
    "ramps": "[losses.NAME]\nweight",
}
# Kind -> what its declarations are asked with; a conditioning acts on the layers of a network.
_SURROUNDINGS: Mapping[str, tuple[Any, ...]] = {"conditionings": (BuildContext(), (16, 16))}


def of_plugin(spec: type, entry: Entry) -> dict[str, Any]:
    """Return what `spec` declares, as JSON shows it.

    Parameters and capabilities are those at the default options, 48 kHz and one channel, and for a
    conditioning two layers of 16 channels; "note" says why there are none to show where that is not
    enough to know them.
    """
    told = describe(spec)
    required = [option.name for option in told.options if option.required]
    declared = _declared(spec, entry.kind, required)
    place = _place(entry.kind, declared.get("traits") or {})
    return {
        "summary": told.summary,
        "doc": told.doc,
        "options": [_option(option) for option in told.options],
        "presets": {name: plain(dict(values)) for name, values in presets_of(spec).items()},
        "keys": [_option(option) for option in describe(place.keys).options] if place else [],
        "table": _usage(entry, place, required),
        **declared,
    }


def _place(kind: str, traits: Mapping[str, Any]) -> Place | None:
    """Return where a plugin stands in an experiment: a loss without a gradient among the metrics."""
    places = [place for place in PLACES if place.kind == kind]
    measures = kind == "losses" and not traits.get("differentiable", True)
    return next((place for place in places if not measures or place.path == "metrics"), None)


def _option(option: Option) -> dict[str, Any]:
    meta = option.meta
    bounds = {side: limit for side, limit in attrs.asdict(meta.bounds).items() if limit is not None}
    return {
        "name": option.name,
        "type": _type_text(option),
        "unit": meta.unit,
        "bounds": bounds,
        "range": "" if meta.bounds.is_open else str(meta.bounds),
        "choices": plain(meta.choices),
        "required": option.required,
        "default": None if option.required else _default(option.default),
        "help": meta.help,
    }


def _type_text(option: Option) -> str:
    kind = kind_named(option.meta.kind)
    if kind is None:
        return option.type_text
    if option.takes_names:
        return "table"
    held = f"list of {kind.singular}s' tables" if option.takes_many else f"{kind.singular}'s table"
    return f"float | {held}" if option.takes_number else held


def _default(value: Any) -> Any:
    return _default(attrs.asdict(value)) if attrs.has(type(value)) else plain(value)


def _declared(spec: type, kind: str, required: Sequence[str]) -> dict[str, Any]:
    """Return what the spec's methods say at default options, or a note why they cannot."""
    asked = [name for name in _DECLARED if callable(getattr(spec, name, None))]
    if not asked:
        return {}
    if required:
        return {"note": f"its {' and '.join(asked)} depend on {', '.join(required)}, which have no default"}
    try:
        instance = spec()
        return {name: _plain(getattr(instance, name)(*_SURROUNDINGS.get(kind, _USUAL))) for name in asked}
    except Exception as error:
        return {"note": f"its {' and '.join(asked)} depend on where it is used: {error}"}


def _plain(value: Any) -> Any:
    if attrs.has(type(value)):
        fields = attrs.asdict(value, recurse=False)
        # What the clock makes of the others.
        fields.update({"delay": value.delay} if isinstance(value, ControlTraits) else {})
        return {key: _plain(item) for key, item in fields.items()}
    return [_plain(item) for item in value] if isinstance(value, (tuple, list)) else plain(value)


def _usage(entry: Entry, place: Place | None, required: Iterable[str]) -> str:
    """Return the plugin's table as an experiment file has it."""
    name = entry.qualified if entry.status == "ambiguous" else entry.name
    lines = [f'type = "{name}"', *(f"{option} = ...  # required" for option in required)]
    if place is None:
        where = _INLINE.get(entry.kind)
        return f"{where} = {{ {', '.join(lines[:1])} }}" if where else ""
    head = f"[{place.path}.{entry.name.replace('-', '_')}]" if place.named else f"[{place.path}]"
    return "\n".join([head, *lines])


def as_text(entry: Entry, told: Mapping[str, Any], width: int | None) -> str:
    """Write a plugin's description for people."""
    kind = kind_named(entry.kind)
    head = f"{bold(entry.name)}  {kind.singular if kind else entry.kind} of {entry.origin}  ({entry.target})"
    sections = [
        head,
        paragraphs(told["doc"], width),
        _section("In an experiment file", told["table"]),
        _section("Options", _options(told["options"], width) or "none"),
        _section('Presets: preset = "..." stands for', _presets(told["presets"], width)),
        _section("Parameters, which a controller sets", _parameters(told.get("parameters"), width)),
        _section("Capabilities", _traits(told.get("traits"), told.get("dims"), width)),
        _section("Not shown", told.get("note", "")),
        _section("Keys that every such table has", _options(told["keys"], width)),
    ]
    return "\n\n".join(section for section in sections if section)


def _section(title: str, body: str) -> str:
    return f"{bold(title)}\n{body}" if body else ""


def _options(options: Sequence[Mapping[str, Any]], width: int | None) -> str:
    if not options:
        return ""
    rows = [
        (
            option["name"],
            option["type"],
            option["unit"],
            "required" if option["required"] else _written(option["default"]),
            " | ".join(map(str, option["choices"])) or option["range"],
            option["help"],
        )
        for option in options
    ]
    return _lean_table(("NAME", "TYPE", "UNIT", "DEFAULT", "RANGE", "HELP"), rows, width)


def _presets(presets: Mapping[str, Mapping[str, Any]], width: int | None) -> str:
    rows = [
        (name, ", ".join(f"{key} = {inline_toml(value)}" for key, value in v.items()))
        for name, v in presets.items()
    ]
    return table(("PRESET", "OPTIONS"), rows, width) if rows else ""


def _parameters(parameters: Sequence[Mapping[str, Any]] | None, width: int | None) -> str:
    if parameters is None:
        return ""
    rows = [
        (
            item["name"],
            item["unit"],
            f"{item['low']:g} to {item['high']:g}",
            item["mapping"],
            _defaults(item["default"]),
            str(item["size"]),
            item["rate"],
            item["help"],
        )
        for item in parameters
    ]
    headers = ("NAME", "UNIT", "RANGE", "MAPPING", "DEFAULT", "SIZE", "RATE", "HELP")
    return _lean_table(headers, rows, width) if rows else "none"


def _lean_table(headers: Sequence[str], rows: Sequence[Sequence[str]], width: int | None) -> str:
    """Write a table without the columns that are empty in every row."""
    kept = [column for column in range(len(headers)) if column == 0 or any(row[column] for row in rows)]
    return table([headers[i] for i in kept], [[row[i] for i in kept] for row in rows], width)


def _defaults(value: float | Sequence[float]) -> str:
    if not isinstance(value, list):
        return f"{value:g}"
    if len(set(value)) == 1:
        return f"{value[0]:g} each"
    return ", ".join(f"{item:g}" for item in value[:4]) + (", ..." if len(value) > 4 else "")


def _traits(traits: Mapping[str, Any] | None, dims: int | None, width: int | None) -> str:
    told = dict(traits or {})
    if "uses" in told and "audio" not in told["uses"]:
        told.update(receptive_field=None, delay=None)
    elif "receptive_field" in told and told["receptive_field"] is None:
        told["receptive_field"] = "unbounded"
    if told.get("rate") in ("constant", "sample"):
        told["hop"] = None
    if dims is not None:
        told["dims"] = dims
    samples = dict.fromkeys(("latency", "hop", "delay", "receptive_field"), " samples")
    units = {**samples, "dims": " per frame"}
    rows = [
        (name.replace("_", " "), f"{_written(value)}{'' if isinstance(value, str) else units.get(name, '')}")
        for name, value in told.items()
        if value is not None and value != [] and (name, value) != ("straight_through", False)
    ]
    return "\n".join(f"{name.ljust(max(len(row[0]) for row in rows))}  {value}" for name, value in rows)


def _written(value: Any) -> str:
    """Write a value as TOML spells it; nothing for an absent one."""
    if value is None or value == {}:
        return ""
    if isinstance(value, bool):
        return "true" if value else "false"
    if isinstance(value, list):
        return f"[{', '.join(map(_written, value))}]"
    return str(value)
