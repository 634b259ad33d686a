"""Explain why a text is not TOML, and what to write instead."""

from __future__ import annotations

import re

import tomli

# What is wrong -> what to do. The first pattern found in the parser's message and the line, joined
# by a tab, wins.
_FIXES: tuple[tuple[str, str], ...] = (
    (r"\t.*[=\[,]\s*(True|False)\b", "TOML booleans are lower case: true, false"),
    (r"\t.*=\s*(None|null|nil)\b", "TOML has no null; leave the key out"),
    (r"\t.*[\u2018\u2019\u201c\u201d]", 'replace the typographic quotes by plain ones: "'),
    (r"Unescaped '\\' |Invalid.*escape|hex value", "in a path, write / or put the text in 'single quotes'"),
    (r"Cannot overwrite a value|already exists|Duplicate", "this key is given twice; keep one"),
    (r"Cannot declare .* twice", "this table is given twice; join the two"),
    (
        r"Cannot (mutate|redefine|extend)|immutable",
        "an inline table { } is closed; add the key in its braces",
    ),
    (r"Illegal character.*\t.*[\"'][^\"']*$", "close the quotes on the same line"),
    (r"Unterminated|Unclosed|Expected '\]'|Expected \"\]\"", "close the bracket or the quotes"),
    (r"Expected '=' after.*\t\s*[\w.-]+\s*:", "TOML writes = between key and value"),
    (r"Expected '=' after", "write key = value"),
    (r"\t.*=\s*$", "the key has no value"),
    (r"\t.*=\s*0\d", "a number has no leading zero"),
    (r"\t.*=\s*\.\d|\t.*=\s*\d+\.(\s|$)", "write digits on both sides of the decimal point"),
    (r"Invalid value.*\t.*=\s*[A-Za-z_./~-]", 'put text in quotes: "..."'),
    (r"Invalid value.*\t.*[\[,]\s*[A-Za-z_./~-]", 'put text in quotes: "..."'),
    (r"\t\s*//", "a comment starts with #"),
)


def explain(error: tomli.TOMLDecodeError) -> str:
    """Return the parser's message with a fix where one is known."""
    line = error.doc.split("\n")[error.lineno - 1] if error.doc else ""
    where = f"{error.msg}\t{line}"
    fix = next((fix for pattern, fix in _FIXES if re.search(pattern, where)), "")
    message = f"not TOML: {error.msg[:1].lower()}{error.msg[1:]}"
    return f"{message}; {fix}" if fix else message
