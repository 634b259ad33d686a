"""Write the few pieces of Markdown that the generated pages consist of."""

from __future__ import annotations

from collections.abc import Mapping, Sequence


def code(text: object) -> str:
    """Write inline code; nothing for an empty text."""
    written = str(text)
    if not written:
        return ""
    return f"`` {written} ``" if "`" in written else f"`{written}`"


def block(text: str, language: str = "text") -> str:
    """Write a block of code."""
    return f"```{language}\n{text.rstrip()}\n```"


def table(headers: Sequence[str], rows: Sequence[Sequence[str]]) -> str:
    """Write a table without the columns that are empty in every row; the first column always stays."""
    kept = [i for i in range(len(headers)) if i == 0 or any(row[i] for row in rows)]
    lines = [[headers[i] for i in kept], ["---"] * len(kept), *([row[i] for i in kept] for row in rows)]
    return "\n".join("| " + " | ".join(_cell(cell) for cell in line) + " |" for line in lines)


def _cell(text: str) -> str:
    return " ".join(text.split()).replace("|", "\\|")


def toml(value: object) -> str:
    """Write a value as an experiment file has it; nothing for an absent one."""
    if value is None or value in ({}, ()):
        return "[]" if value == () else ""
    if isinstance(value, bool):
        return "true" if value else "false"
    if isinstance(value, str):
        return f'"{value}"'
    if isinstance(value, Mapping):
        return "{ " + ", ".join(f"{name} = {toml(item)}" for name, item in value.items()) + " }"
    if isinstance(value, (list, tuple)):
        return f"[{', '.join(map(toml, value))}]"
    return str(value)
