"""Say in the words of TOML what a value is, what was expected instead, and how to write that."""

from __future__ import annotations

import datetime
import json
import re
from collections.abc import Callable, Iterable, Mapping, Sequence
from typing import Any

import tomli

from fxkit.experiment.tree import Bare
from fxkit.kinds import kind_named
from fxkit.spec import OptionMeta, type_text
from fxkit_registry import closest

_HINTS: Mapping[Any, str] = {Any: "name", tuple[Any, ...]: "list of names"}

_NAMES: tuple[tuple[type | tuple[type, ...], str], ...] = (
    (bool, "bool"),
    (int, "int"),
    (float, "float"),
    (str, "text"),
    (Mapping, "a table"),
    ((list, tuple), "a list"),
    (datetime.datetime, "date and time"),
    (datetime.date, "date"),
    (datetime.time, "time"),
)
_YES_NO = {
    **dict.fromkeys(("yes", "on", "true", "1"), "true"),
    **dict.fromkeys(("no", "off", "false", "0"), "false"),
}


def suggestion(name: str, names: Iterable[str]) -> str:
    """Return '; did you mean "x"?' for the name closest to `name`, or nothing when none is close."""
    near = closest(name, names, limit=1)
    return f'; did you mean "{near[0]}"?' if near else ""


_BARE_HINTS = {
    "true": "; TOML booleans are lower case: true",
    "false": "; TOML booleans are lower case: false",
    "none": "; TOML has no null",
    "null": "; TOML has no null",
}


def toml_text(value: Any) -> str:
    """Write a scalar as TOML does, long text shortened."""
    if isinstance(value, bool):
        return "true" if value else "false"
    if isinstance(value, str):
        return json.dumps(value if len(value) <= 60 else f"{value[:57]}...", ensure_ascii=False)
    return str(value)


def inline_toml(value: Any) -> str:
    """Write a value of any depth on one line as TOML does."""
    if isinstance(value, Mapping):
        return f"{{ {', '.join(f'{key} = {inline_toml(item)}' for key, item in value.items())} }}"
    return f"[{', '.join(map(inline_toml, value))}]" if isinstance(value, (list, tuple)) else toml_text(value)


def value_text(value: Any) -> str:
    """Name the type of a value and write it: 'int 5', 'text "x"', 'a list'."""
    name = next((name for kind, name in _NAMES if isinstance(value, kind)), type(value).__name__)
    return name if name.startswith("a ") else f"{name} {toml_text(value)}"


def mismatch(expected: str, value: Any) -> str:
    """Say that `value` is not of the type `expected`, and how to write it where that is clear."""
    if isinstance(value, Bare):
        return _bare(expected, value)
    fix = _FIXES.get(expected.split(" ", maxsplit=1)[0], _no_fix)(expected, value)
    return f"expected {expected}, got {value_text(value)}{f'; {fix}' if fix else ''}"


def _bare(expected: str, value: Bare) -> str:
    hint = _BARE_HINTS.get(value.lower()) or _bare_fix(expected, str(value))
    return f"expected {expected}, got {value}, which is not TOML{hint}"


def _bare_fix(expected: str, value: str) -> str:
    if re.fullmatch(r"-?\d+,\d+", value):
        return f"; write {value.replace(',', '.')}"
    if re.fullmatch(r"-?[\d.]+(e-?\d+)? ?[A-Za-z%]+", value):
        return "; write the number alone, in the unit of the option"
    fix = _table_fix(expected, value) if expected.startswith("table") else ""
    return f"; {fix}" if fix else ""


def _no_fix(expected: str, value: Any) -> str:
    return ""


def _number_fix(expected: str, value: Any) -> str:
    if isinstance(value, str):
        inner = _parsed(value)
        right = (int,) if expected == "int" else (int, float)
        if type(inner) in right:
            return "remove the quotes"
        return f"write {{ type = {toml_text(value)} }}" if " or table with" in expected else ""
    if isinstance(value, float) and value.is_integer():
        return f"write {int(value)}"
    return ""


def _bool_fix(expected: str, value: Any) -> str:
    if value in ("true", "false"):
        return "remove the quotes"
    spelt = _YES_NO.get(str(value).lower())
    return f"write {spelt}" if spelt else ""


def _text_fix(expected: str, value: Any) -> str:
    return "" if isinstance(value, (Mapping, tuple, list)) else f'put it in quotes: "{toml_text(value)}"'


def _table_fix(expected: str, value: Any) -> str:
    if isinstance(value, str) and expected.startswith("table with"):
        return f"write {{ type = {toml_text(value)} }}"
    return "write its header in single brackets" if isinstance(value, (list, tuple)) and value else ""


def _list_fix(expected: str, value: Any) -> str:
    return "" if isinstance(value, Mapping) else f"write [{toml_text(value)}]"


_FIXES: dict[str, Callable[[str, Any], str]] = {
    "int": _number_fix,
    "float": _number_fix,
    "bool": _bool_fix,
    "text": _text_fix,
    "path": _text_fix,
    "list": _list_fix,
    "table": _table_fix,
}


def _parsed(text: str) -> Any:
    try:
        return tomli.loads(f"value = {text}").get("value")
    except tomli.TOMLDecodeError:
        return None


def not_one_of(value: Any, choices: Iterable[Any]) -> str:
    """Say that a value is none of the choices, and which one is near."""
    allowed = tuple(choices)
    names = [one for one in allowed if isinstance(one, str) and isinstance(value, str)]
    near = f'; did you mean "{same}"?' if (same := _same(value, names)) else suggestion(str(value), names)
    return f"{toml_text(value)} is not one of {', '.join(map(toml_text, allowed))}{near}"


# Names of number formats that are in use elsewhere, as parts of words.
_SPELLINGS = (("bfloat", "bf"), ("float", "fp"), ("single", "fp32"), ("half", "fp16"), ("full", "fp32"))


def _same(value: Any, names: Iterable[str]) -> str | None:
    """Return the name that says the same as `value` in another spelling: "float32" for "fp32"."""
    return next((name for name in names if _spelt(name) == _spelt(str(value))), None)


def _spelt(name: str) -> str:
    plain = name.casefold().replace("_", "").replace("-", "")
    for long, short in _SPELLINGS:
        plain = plain.replace(long, short)
    return plain


def hint_text(hint: Any) -> str:
    """Write an option's type as a person would."""
    return _HINTS.get(hint) or type_text(hint)


def a_table_of(kind: str, *, many: bool = False) -> str:
    """Say what stands for a plugin of a kind (its plural), or several: "table with the type of a loss"."""
    found = kind_named(kind)
    singular = found.singular if found else kind
    tables = "tables, each" if many else "table"
    return f"{tables} with the type of {'an' if singular[0] in 'aeiou' else 'a'} {singular}"


def some(names: Sequence[str], most: int = 4) -> str:
    """List names, only the first few of many."""
    rest = len(names) - most
    return ", ".join(names[:most]) + (f" and {rest} more" if rest > 0 else "")


def range_text(meta: OptionMeta) -> str:
    """Write what a number may be: "1 to 16", "at least 0 Hz", "one of ..."; empty when anything."""
    if meta.choices:
        return "one of " + ", ".join(map(toml_text, meta.choices))
    bounds, unit = meta.bounds, f" {meta.unit}" if meta.unit else ""
    if bounds.ge is not None and bounds.le is not None:
        return f"{bounds.ge:.10g} to {bounds.le:.10g}{unit}"
    sides = (
        ("at least", bounds.ge),
        ("above", bounds.gt),
        ("at most", bounds.le),
        ("below", bounds.lt),
    )
    return " and ".join(f"{word} {limit:.10g}{unit}" for word, limit in sides if limit is not None)
