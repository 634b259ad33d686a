"""Say, as data, what becomes of the classes and keys of another program."""

from __future__ import annotations

from collections.abc import Callable, Mapping
from typing import Any, Literal

import attrs

from fxkit.migration.entry import Entry
from fxkit.migration.ledger import Ledger

Action = Literal["to", "spare", "lost", "only", "by"]
Test = Callable[[Any, Mapping[str, Any]], bool]


def same(value: Any) -> Any:
    """Return the value as it is."""
    return value


def whole(value: Any) -> int:
    """Return a whole number; raises `TypeError` for anything else."""
    if type(value) is float and value.is_integer():
        return int(value)
    if type(value) is not int:
        raise TypeError("no whole number")
    return value


def number(value: Any) -> float:
    """Return a number; raises `TypeError` for anything else."""
    if type(value) not in (int, float):
        raise TypeError("no number")
    return float(value)


def wholes(value: Any) -> list[int]:
    """Return a list of whole numbers; raises `TypeError` for anything else."""
    if not isinstance(value, list):
        raise TypeError("no list")
    return [whole(one) for one in value]


def flag(value: Any) -> bool:
    """Return true or false; raises `TypeError` for anything else."""
    if not isinstance(value, bool):
        raise TypeError("neither true nor false")
    return value


def word(value: Any) -> str:
    """Return text; raises `TypeError` for anything else."""
    if not isinstance(value, str):
        raise TypeError("no text")
    return value


@attrs.frozen(kw_only=True)
class Rule:
    """Say what becomes of one key.

    `action`: "to" an option, converted; "spare", as fxkit needs not be told; "lost", without
    counterpart; "only" some values are spare and others lost; "by" code, which `target` describes.
    """

    action: Action
    target: str = ""
    note: str = ""
    convert: Callable[[Any], Any] = same
    test: Test | None = None


def to(target: str, convert: Callable[[Any], Any] = same, note: str = "") -> Rule:
    """Make a rule for a key that becomes the option `target`."""
    return Rule(action="to", target=target, convert=convert, note=note)


def spare(why: str) -> Rule:
    """Make a rule for a key that fxkit need not be told."""
    return Rule(action="spare", note=why)


def lost(why: str, place: str = "") -> Rule:
    """Make a rule for a key without counterpart; `place` is the table that says so, if not where it is."""
    return Rule(action="lost", note=why, target=place)


def only(*values: Any, why: str) -> Rule:
    """Make a rule for a key of which fxkit does these values anyway, and has no others; `why` not."""
    return when(lambda value, _: any(value == one and type(value) is type(one) for one in values), why=why)


def when(test: Test, *, why: str) -> Rule:
    """Make a rule for a key that is spare where `test(value, the other keys)` holds, and else lost."""
    return Rule(action="only", test=test, note=why)


def by(target: str, note: str = "") -> Rule:
    """Make a rule for a key that code looks after together with others."""
    return Rule(action="by", target=target, note=note)


@attrs.frozen(kw_only=True)
class Span:
    """Say which two keys limit a parameter, what they are when left out, and which options do so here.

    With one option it is the largest distance from zero.
    """

    keys: tuple[str, str]
    defaults: tuple[float, float]
    options: tuple[str, ...]
    parameter: str


@attrs.frozen(kw_only=True)
class ClassRule:
    """Say what becomes of a class: which plugin of which kind, and what of its keys.

    `spans` are pairs of keys that limit a parameter. `defaults` are values of the class's own for keys
    that are left out and mean another thing than the plugin's; `implied` are options of the plugin that
    say what the class does unasked; `why` tells of what is lost with a class without counterpart, whose
    `plugin` is empty.
    """

    kind: str
    plugin: str = ""
    keys: Mapping[str, Rule] = attrs.field(factory=dict)
    defaults: Mapping[str, Any] = attrs.field(factory=dict)
    implied: Mapping[str, Any] = attrs.field(factory=dict)
    spans: tuple[Span, ...] = ()
    why: str = ""


def apply(
    keys: Mapping[str, Rule],
    given: Entry | None,
    ledger: Ledger,
    table: str,
    defaults: Mapping[str, Any] | None = None,
) -> dict[str, Any]:
    """Return the options that keys become, every key judged; code looks after those that are "by" it.

    `table` is where they go, for the account; `defaults` stand in for keys that are not given.
    """
    others = {**(defaults or {}), **({name: entry.plain() for name, entry in given.items()} if given else {})}
    told = {name for name, entry in given.items() if entry.value is not None} if given else set()
    found: dict[str, Any] = {}
    for name, entry in given.items() if given else ():
        rule = keys.get(name)
        if rule is not None and rule.action != "by":
            found.update(_one(rule, entry, others, ledger, table))
    for name, value in (defaults or {}).items():
        rule = keys[name]
        if name not in told and rule.action == "to":
            found.update(_named(rule, rule.convert(value)))
    return found


def _one(
    rule: Rule, entry: Entry, others: Mapping[str, Any], ledger: Ledger, table: str
) -> Mapping[str, Any]:
    value = entry.plain()
    if rule.action == "lost" and value is None:
        ledger.unneeded(entry, "null leaves it open")
    elif rule.action == "lost":
        ledger.missing(entry, rule.note, rule.target or table)
    elif rule.action == "spare":
        ledger.unneeded(entry, rule.note)
    elif rule.action == "only":
        if rule.test is not None and _holds(rule.test, value, others):
            ledger.unneeded(entry, "fxkit does so anyway")
        else:
            ledger.missing(entry, rule.note, table)
    elif value is None:
        ledger.unneeded(entry, "null leaves it open")
    else:
        return _converted(rule, entry, value, ledger, table)
    return {}


def _holds(test: Test, value: Any, others: Mapping[str, Any]) -> bool:
    try:
        return test(value, others)
    except (TypeError, ValueError):
        return False


def _converted(rule: Rule, entry: Entry, value: Any, ledger: Ledger, table: str) -> Mapping[str, Any]:
    try:
        found = _named(rule, rule.convert(value))
    except (TypeError, ValueError, KeyError, IndexError):
        ledger.missing(entry, f"no {table}.{rule.target} says this", table)
        return {}
    ledger.mapped(entry, f"{table}.{rule.target}", rule.note)
    return found


def _named(rule: Rule, value: Any) -> dict[str, Any]:
    names = rule.target.split(", ")
    return {rule.target: value} if len(names) == 1 else dict(zip(names, value, strict=True))
