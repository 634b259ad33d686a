"""Write the plugin catalogue: a page per kind, a section per plugin that comes with fxkit."""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from typing import Any

from fxkit.catalog import Catalog
from fxkit.cli.description import of_plugin
from fxkit.experiment.wording import inline_toml
from fxkit.kinds import KINDS, Kind
from fxkit_docs.markdown import block, code, table
from fxkit_docs.options import told_table
from fxkit_registry import Entry


def catalogue_pages() -> dict[str, str]:
    """Return file name -> text: an index and a page for each kind."""
    catalog = Catalog.installed(in_tree_only=True)
    usable = [entry for entry in catalog.entries if entry.status != "disabled"]
    by_kind = {kind: [entry for entry in usable if entry.kind == kind.name] for kind in KINDS}
    used = {kind: entries for kind, entries in by_kind.items() if entries}
    pages = {f"{kind.name}.md": _kind_page(kind, entries, catalog) for kind, entries in used.items()}
    return {"index.md": _index(by_kind), **pages}


def _index(by_kind: Mapping[Kind, Sequence[Entry]]) -> str:
    rows = [
        (
            f"[{kind.name}](#kind-{kind.name})" if entries else kind.name,
            kind.summary,
            ", ".join(f"[{entry.name}](#{anchor(entry)})" for entry in entries) or "none yet",
            code(kind.group),
        )
        for kind, entries in by_kind.items()
    ]
    listed = "\n".join(kind.name for kind, entries in by_kind.items() if entries)
    return f"""# Plugin catalogue

Everything that comes with fxkit, written from the plugins' own declarations. What else is installed
on your machine is listed by `fxkit plugins`, with the same details from `fxkit plugins show KIND NAME`.

{table(("Kind", "What it is", "Plugins", "Entry-point group"), rows)}

```{{toctree}}
:hidden:

{listed}
```
"""


def anchor(entry: Entry) -> str:
    """Return the link target of a plugin's section."""
    return f"{entry.kind}-{entry.name}"


def _kind_page(kind: Kind, entries: Sequence[Entry], catalog: Catalog) -> str:
    sections = "\n\n".join(_section(entry, of_plugin(catalog.spec(entry), entry)) for entry in entries)
    keys = of_plugin(catalog.spec(entries[0]), entries[0])["keys"]
    common = f"## Keys of every such table\n\n{told_table(keys)}\n" if keys else ""
    title = kind.name.capitalize()
    return f"(kind-{kind.name})=\n# {title}\n\nA {kind.singular} {kind.summary}.\n\n{sections}\n\n{common}"


def _section(entry: Entry, told: Mapping[str, Any]) -> str:
    parts = [
        f"({anchor(entry)})=\n## {entry.name}",
        told["doc"],
        block(told["table"], "text" if "= ..." in told["table"] else "toml") if told["table"] else "",
        told_table(told["options"]),
        _presets(told["presets"]),
        _parameters(told.get("parameters")),
        _traits(told.get("traits"), told.get("dims")),
        f"Parameters and capabilities are not shown: {told['note']}." if told.get("note") else "",
    ]
    return "\n\n".join(part for part in parts if part)


def _presets(presets: Mapping[str, Mapping[str, Any]]) -> str:
    if not presets:
        return ""
    rows = [
        (code(name), ", ".join(code(f"{k} = {inline_toml(v)}") for k, v in values.items()))
        for name, values in presets.items()
    ]
    return "**Presets**; options that are written beside them win:\n\n" + table(
        ("preset", "stands for"), rows
    )


def _parameters(parameters: Sequence[Mapping[str, Any]] | None) -> str:
    if not parameters:
        return ""
    rows = [
        (
            code(item["name"]),
            item["unit"],
            f"{item['low']:g} to {item['high']:g}",
            item["mapping"],
            _default(item["default"]),
            str(item["size"]),
            item["rate"],
            item["help"],
        )
        for item in parameters
    ]
    headers = ("Parameter", "Unit", "Range", "Mapping", "Default", "Size", "Finest rate", "What it is")
    return (
        "**Parameters**, which a controller sets (at the default options, 48 kHz, one channel):\n\n"
        + table(headers, rows)
    )


def _default(value: Any) -> str:
    if not isinstance(value, list):
        return f"{value:g}"
    return f"{value[0]:g} each" if len(set(value)) == 1 else ", ".join(f"{item:g}" for item in value)


def _traits(traits: Mapping[str, Any] | None, dims: int | None) -> str:
    facts = [*_facts(traits or {}), *([f"{_count(dims, 'dimension')} per frame"] if dims is not None else [])]
    return f"**Capabilities**: {'; '.join(facts)}." if facts else ""


def _facts(traits: Mapping[str, Any]) -> list[str]:
    facts = []
    if "latency" in traits:
        facts.append(f"latency {_count(traits['latency'], 'sample')}")
    if "causal" in traits:
        facts.append("causal" if traits["causal"] else "not causal")
    if "receptive_field" in traits and "audio" in traits.get("uses", ("audio",)):
        field = traits["receptive_field"]
        facts.append("receptive field " + ("unbounded" if field is None else _count(field, "sample")))
    if "differentiable" in traits:
        facts.append("differentiable" if traits["differentiable"] else "not differentiable")
    if traits.get("higher_is_better"):
        facts.append("more is better")
    if traits.get("distance") is False:
        facts.append("no distance: the target is not what costs least")
    if traits.get("least_samples", 1) > 1:
        facts.append(f"needs signals of {_count(traits['least_samples'], 'sample')}")
    if "recursive" in traits:
        facts.append("memory without end" if traits["recursive"] else "no memory")
        facts.append(f"looks {_count(traits['lookahead'], 'sample')} ahead")
    if traits.get("straight_through"):
        facts.append("gradients are straight-through estimates")
    if traits.get("channels_in"):
        facts.append(f"takes {' or '.join(map(str, traits['channels_in']))} channels")
    if traits.get("source"):
        facts.append("a source: takes no audio")
    if traits.get("rate"):
        facts.append(f"values at {traits['rate']} rate")
    if traits.get("delay"):
        facts.append(f"follows the audio within {_count(traits['delay'], 'sample')}")
    facts += [
        f"{name} {', '.join(map(code, traits[name]))}"
        for name in ("inputs", "uses", "terms")
        if traits.get(name)
    ]
    return facts


def _count(number: int, what: str) -> str:
    return f"{number} {what}" if number == 1 else f"{number} {what}s"
