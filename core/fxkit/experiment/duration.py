"""Read durations as people write them: "90 s", "20 min", "1.5 h"."""

from __future__ import annotations

import re

_SECONDS = {"s": 1.0, "min": 60.0, "h": 3600.0}
_PART = r"(\d+(?:\.\d+)?)\s*(s|min|h)\b"
_WHOLE = re.compile(rf"\s*(?:{_PART}\s*)+")


def seconds(text: str) -> float:
    """Return a duration in seconds; parts add up: "1 h 30 min".

    Raises `ValueError`, which says how to write one, for any other text and for no time at all.
    """
    parts = re.findall(_PART, text) if _WHOLE.fullmatch(text) else []
    total = sum(float(number) * _SECONDS[unit] for number, unit in parts)
    if not total:
        raise ValueError(f'"{text}" is not a duration; write "90 s", "20 min" or "1.5 h"')
    return total


def duration_problem(text: str | None) -> str | None:
    """Return why a text is no duration, or None; an absent one is right."""
    try:
        seconds("1 s" if text is None else text)
    except ValueError as error:
        return str(error)
    return None
