"""Show options as tables: name, type, default, range and what they do."""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from typing import Any

from fxkit.spec import Option, describe
from fxkit_docs.markdown import code, table, toml

HEADERS = ("Option", "Type", "Unit", "Default", "Allowed", "What it does")


def spec_table(spec: type) -> str:
    """Show the options of a spec class."""
    rows = [
        _row(
            name=option.name,
            type=_link(option) if option.meta.kind else option.type_text,
            unit=option.meta.unit,
            default="required" if option.required else code(toml(option.default)),
            choices=option.meta.choices,
            range="" if option.meta.bounds.is_open else str(option.meta.bounds),
            help=option.meta.help,
        )
        for option in describe(spec).options
    ]
    return table(HEADERS, rows) if rows else "No keys."


def _link(option: Option) -> str:
    table = "list of tables, each" if option.takes_many else "table"
    table = f"number, or {table}" if option.takes_number else table
    table = "table whose values are each a number, or a table" if option.takes_names else table
    return f"{table} with a `type` of [{option.meta.kind}](#kind-{option.meta.kind})"


def told_table(options: Sequence[Mapping[str, Any]]) -> str:
    """Show options that were described as JSON (`fxkit plugins show --json`)."""
    rows = [
        _row(
            name=option["name"],
            type=option["type"],
            unit=option["unit"],
            default="required" if option["required"] else code(toml(option["default"])),
            choices=option["choices"],
            range=option["range"],
            help=option["help"],
        )
        for option in options
    ]
    return table(HEADERS, rows) if rows else "No options."


def _row(
    *, name: str, type: str, unit: str, default: str, choices: Sequence[Any], range: str, help: str
) -> tuple[str, ...]:
    listed = [code(toml(choice)) for choice in choices]
    if type.startswith("'"):
        listed, type = [code(choice.replace("'", '"')) for choice in type.split(" | ")], "text"
    return (code(name), type, unit, default, ", ".join(listed) or range, help)
