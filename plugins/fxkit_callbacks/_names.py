"""File names made from names that anybody may have chosen."""

from __future__ import annotations

import re
import unicodedata
from collections.abc import Iterable

_LONGEST = 120


def safe_name(name: str) -> str:
    """Return `name` as one path component: letters, digits, "_-+" and inner dots, 120 bytes at most."""
    plain = re.sub(r"[^\w.+-]+", "_", unicodedata.normalize("NFC", name)).strip("._")
    return plain.encode()[:_LONGEST].decode(errors="ignore") or "unnamed"


def safe_names(names: Iterable[str]) -> list[str]:
    """Return a `safe_name` for each name, all different on file systems that ignore case, too."""
    used: set[str] = set()
    result = []
    for name in names:
        plain = safe_name(name)
        candidate, count = plain, 1
        while candidate.casefold() in used:
            count += 1
            candidate = f"{plain}-{count}"
        used.add(candidate.casefold())
        result.append(candidate)
    return result
