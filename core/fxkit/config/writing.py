"""Write values as TOML 1.0 does."""

from __future__ import annotations

import json
from collections.abc import Mapping
from typing import Any

from fxkit.experiment.positions import dotted


def toml_value(value: Any) -> str:
    """Write a value on one line: a scalar, a list, or a table in braces."""
    if isinstance(value, bool):
        return "true" if value else "false"
    if isinstance(value, str):
        # TOML, unlike JSON, also wants DEL escaped.
        return json.dumps(str(value), ensure_ascii=False).replace("\x7f", "\\u007f")
    if isinstance(value, Mapping):
        pairs = ", ".join(f"{toml_key(name)} = {toml_value(item)}" for name, item in value.items())
        return f"{{ {pairs} }}" if pairs else "{}"
    if isinstance(value, (list, tuple)):
        return f"[{', '.join(map(toml_value, value))}]"
    return repr(value) if isinstance(value, float) else str(value)


def toml_key(*parts: str) -> str:
    """Write a key, dotted where there are several parts, quoted where TOML needs it."""
    return dotted(parts)
