"""Write tables for people and JSON for programs."""

from __future__ import annotations

import os
import shutil
import sys
import textwrap
from collections.abc import Iterable, Mapping, Sequence
from typing import Any

import attrs

FORMAT = 1
GAP = "  "
_LEAST = 24


def write_json(content: Mapping[str, Any]) -> None:
    """Write one strict JSON document (no NaN, no Infinity) whose first key is the format's number."""
    import json

    json.dump({"fxkit": FORMAT, **content}, sys.stdout, indent=2, allow_nan=False, default=plain)
    sys.stdout.write("\n")


def plain(value: Any) -> Any:
    """Return an option's value as JSON and TOML hold it; of a spec inside it, the options that are set."""
    if attrs.has(type(value)):
        fields = attrs.asdict(value, recurse=False)
        return {name: plain(item) for name, item in fields.items() if item is not None}
    if isinstance(value, (tuple, list)):
        return [plain(item) for item in value]
    if isinstance(value, Mapping):
        return {str(key): plain(item) for key, item in value.items()}
    return value if isinstance(value, (str, int, float, bool, type(None))) else str(value)


def page_width() -> int | None:
    """Return the columns to write in; None, for no limit, where stdout is no terminal and sets none."""
    if sys.stdout.isatty() or os.environ.get("COLUMNS", "").isdigit():
        return shutil.get_terminal_size().columns
    return None


_STYLES = {"bold": "1", "dim": "2", "red": "31", "green": "32"}


def bold(text: str) -> str:
    """Make text bold on a terminal that has not asked for plain text (NO_COLOR)."""
    return coloured(text, "bold")


def coloured(text: str, style: str) -> str:
    """Write text bold, dim, red or green on a terminal that has not asked for plain text."""
    return f"\x1b[{_STYLES[style]}m{text}\x1b[0m" if styled() else text


def styled() -> bool:
    """Tell whether stdout is a terminal that has not asked for plain text (NO_COLOR)."""
    return sys.stdout.isatty() and not os.environ.get("NO_COLOR") and os.environ.get("TERM") != "dumb"


def table(headers: Sequence[str], rows: Iterable[Sequence[str]], width: int | None) -> str:
    """Align cells in columns; on a narrow page the last one folds, or each row becomes a small block."""
    cells = [list(row) for row in rows]
    spans = [max(map(len, column)) for column in zip(headers, *cells, strict=True)]
    left = sum(spans[:-1]) + len(GAP) * (len(spans) - 1)
    if width is not None and left + min(spans[-1], _LEAST) > width:
        return "\n".join(_block(headers, row, width) for row in cells)
    room = None if width is None or left + spans[-1] <= width else width - left
    head = GAP.join(name.ljust(span) for name, span in zip(headers, spans, strict=True)).rstrip()
    return "\n".join([bold(head), *(_row(row, spans, left, room) for row in cells)])


def _row(row: Sequence[str], spans: Sequence[int], left: int, room: int | None) -> str:
    last = row[-1] if room is None else f"\n{'':{left}}".join(_folded(row[-1], room))
    padded = [cell.ljust(span) for cell, span in zip(row[:-1], spans, strict=False)]
    return GAP.join([*padded, last]).rstrip()


def _block(headers: Sequence[str], row: Sequence[str], width: int) -> str:
    """Write a row as its first two cells and, indented below, the others with their headers."""
    named = [f"{name.lower()}: {cell}" for name, cell in zip(headers[2:], row[2:], strict=True) if cell]
    lines = [line for item in named for line in _folded(item, max(width - 4, 16))]
    head = map(bold, _folded(" ".join(row[:2]), width))
    return "\n".join([*head, *(f"    {line}" for line in lines)])


def _folded(text: str, room: int) -> list[str]:
    return textwrap.wrap(text, room, break_on_hyphens=False) or [""]


def paragraphs(text: str, width: int | None) -> str:
    """Fold running text to the page; lines that are indented stay as they are."""
    if width is None:
        return text
    blocks = (block if block.startswith(" ") else textwrap.fill(block, width) for block in text.split("\n\n"))
    return "\n\n".join(blocks)
