"""Choose among runs, and order them, by what they are worth and by their settings."""

from __future__ import annotations

import fnmatch
import operator
import re
from collections.abc import Callable, Iterable, Sequence
from datetime import datetime
from typing import Any

import attrs

from fxkit.errors import FxkitError
from fxkit.experiment.wording import suggestion
from fxkit.runs.listing import RunRow, settings_of

_TESTS: dict[str, Callable[[Any, Any], bool]] = {
    "<=": operator.le,
    ">=": operator.ge,
    "!=": operator.ne,
    "<": operator.lt,
    ">": operator.gt,
    "=": operator.eq,
}
_CONDITION = re.compile(r"\s*([^<>=!\s]+)\s*(<=|>=|!=|==|<|>|=)\s*(.+?)\s*")
_FACTS = ("path", "name", "state", "reason", "steps", "minutes", "weights", "when", "sweep")


class QueryError(FxkitError):
    """Report a condition or a column that says nothing."""

    exit_code = 2


@attrs.frozen
class Condition:
    """Hold one condition: a key, how it is compared, and with what."""

    key: str
    sign: str
    text: str

    def holds(self, row: RunRow) -> bool:
        """Tell whether a run meets it; one that does not have the key only meets "!="."""
        value = value_of(row, self.key)
        if value is None:
            return self.sign == "!="
        number = _number(self.text)
        if isinstance(value, (int, float)) and not isinstance(value, bool) and number is not None:
            return _TESTS[self.sign](float(value), number)
        if self.sign in ("=", "!="):
            return fnmatch.fnmatchcase(shown(value), self.text) == (self.sign == "=")
        return _TESTS[self.sign](shown(value), self.text)


def read_condition(text: str) -> Condition:
    """Read a condition such as "metrics.esr<0.01" or "name=amp*".

    Raises `QueryError` with the spelling that is right.
    """
    found = _CONDITION.fullmatch(text)
    if found is None:
        raise QueryError(f'--filter "{text}": expected a condition, as "metrics.esr<0.01" or "name=amp*"')
    return Condition(found[1], "=" if found[2] == "==" else found[2], found[3].strip("\"'"))


def value_of(row: RunRow, key: str) -> Any:
    """Return what a run has under a key; None when it has nothing.

    Keys are name, state, steps, minutes, weights, when, path, sweep, reason; test.METRIC (or
    metrics.METRIC) and val.METRIC; METRIC alone, for the test or else the validation; and paths of settings.
    """
    if key in _FACTS:
        return getattr(row, key)
    table, _, metric = key.partition(".")
    if metric and table in ("test", "metrics", "val"):
        return (row.val if table == "val" else row.test).get(metric)
    if key in row.test or key in row.val:
        return row.test.get(key, row.val.get(key))
    if key in row.parameters:
        return _typed(row.parameters[key])
    return settings_of(row.path).get(key) if "." in key else None


def shown(value: Any) -> str:
    """Write a value for people."""
    if value is None:
        return "-"
    if isinstance(value, bool):
        return "true" if value else "false"
    if isinstance(value, float):
        return f"{value:.5g}"
    return value.strftime("%Y-%m-%d %H:%M") if isinstance(value, datetime) else str(value)


def refuse_unknown(keys: Iterable[str], rows: Sequence[RunRow]) -> None:
    """Raise `QueryError` for a key that no run has."""
    for key in keys:
        if key in _FACTS or not rows or any(value_of(row, key) is not None for row in rows):
            continue
        metrics = [name for row in rows[:50] for name in (*row.test, *row.val, *row.parameters)]
        near = suggestion(key, [*_FACTS, *metrics, *settings_of(rows[0].path)])
        raise QueryError(f"{key}: no run has it{near}")


def ordered(rows: Iterable[RunRow], key: str, reverse: bool) -> list[RunRow]:
    """Return runs by a key, the best first where it is a metric; those without it last."""
    rows = list(rows)
    metric = key.rpartition(".")[2]
    higher = any(metric in row.higher for row in rows) and key not in _FACTS
    with_it = [row for row in rows if value_of(row, key) is not None]
    without = [row for row in rows if value_of(row, key) is None]
    with_it.sort(key=lambda row: _sortable(value_of(row, key)), reverse=higher != reverse)
    return [*with_it, *without]


def _sortable(value: Any) -> tuple[int, float, str]:
    if isinstance(value, datetime):
        return 0, value.timestamp(), ""
    if isinstance(value, (int, float)):
        return 0, float(value), ""
    return 1, 0.0, str(value)


def _number(text: str) -> float | None:
    try:
        return float(text)
    except ValueError:
        return None


def _typed(text: str) -> Any:
    number = _number(text)
    return text if number is None else number
