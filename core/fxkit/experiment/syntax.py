"""Explain why a text is not TOML, and what to write instead."""

from __future__ import annotations

import re

import tomli

from fxkit.experiment.positions import Spot, dotted, first_repeat

# What is wrong -> what to do. The first pattern found in the parser's message and the line, joined
# by a tab, wins.
_FIXES: tuple[tuple[str, str], ...] = (
    (r"\t\ufeff", "the file starts with a byte-order mark; save it as UTF-8 without one"),
    (r"\t.*[=\[,]\s*(True|False)\b", "TOML booleans are lower case: true, false"),
    (r"\t.*=\s*(None|null|nil)\b", "TOML has no null; leave the key out"),
    (r"\t.*[\u2018\u2019\u201c\u201d]", 'replace the typographic quotes by plain ones: "'),
    (r"Unescaped '\\' |escape|hex value", "in a path, write / or put the text in 'single quotes'"),
    (r"Cannot (mutate|redefine|extend)", "an inline table { } is closed; add the key in its braces"),
    (r"Illegal character '\\n'", "close the quotes on the same line"),
    (r"Unterminated string|Expected \"'\"", "close the quotes"),
    (r"Unclosed inline table", "put a comma between the entries, and close the brace"),
    (r"Unclosed array", "put commas between the entries, and close the bracket"),
    (r"Expected '\]\]?'", "close the bracket behind the table's name"),
    (r"Expected '=' after.*\t\s*[\w.-]+\s*:", "TOML writes = between key and value"),
    (
        r"Expected '=' after.*\t\s*[\w.\s-]+=",
        "a key with other characters than A-Z, a-z, 0-9, _ or - needs quotes",
    ),
    (r"Expected '=' after", "write key = value"),
    (r"\t\s*//", "a comment starts with #"),
    (r"\t\s*=", "the key is missing"),
    (r"\t.*=\s*$", "the value is missing"),
    (r"Invalid value.*\t.*[\[,]\s*,", "a value is missing beside the comma"),
    (r"Invalid initial character.*\t\s*\[.*\.\s*\]", "a name is missing beside the dot"),
    (r"\t.*=\s*[+-]?0\d", "a number has no leading zero"),
    (r"\t.*=\s*[+-]?(\.\d|\d+\.(\s|$))", "write digits on both sides of the decimal point"),
    (
        r"Expected newline.*\t.*=\s*[+-]?\d[\w.]*\s*[A-Za-z%]+\s*(#.*)?$",
        "write the number alone, without a unit",
    ),
    (r"Expected newline.*\t.*=.*=", "write one key = value to a line"),
    (r"Invalid value", 'put text in quotes: "..."'),
)


def explain(error: tomli.TOMLDecodeError) -> tuple[Spot, str]:
    """Return where a text stops being TOML, and the parser's message with a fix where one is known."""
    repeat = first_repeat(error.doc) if re.search("overwrite|twice|mutate", error.msg) else None
    if repeat:
        message = f'"{dotted(repeat.path)}" is given for the second time (first in line {repeat.first.line})'
        return repeat.again, f"{message}; keep one"
    lines = error.doc.split("\n")
    where = f"{error.msg}\t{lines[error.lineno - 1]}"
    fix = next((fix for pattern, fix in _FIXES if re.search(pattern, where)), "")
    message = f"not TOML: {error.msg[:1].lower()}{error.msg[1:]}"
    return Spot(error.lineno, error.colno), f"{message}; {fix}" if fix else message
