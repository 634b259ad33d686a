"""Tell what two experiments differ in, whatever their files look like."""

from __future__ import annotations

import os
from collections.abc import Iterator, Mapping
from typing import Any

import attrs

from fxkit.config.entries import Entry, entries
from fxkit.config.relocation import is_path
from fxkit.config.subject import Subject

# Named tables whose members act in the order of the file.
ORDERED = ("callbacks", "transforms")


@attrs.frozen(kw_only=True)
class Change:
    """Hold one difference: a path, the value on each side, None where there is none, and their origins."""

    path: str
    old: Any
    new: Any
    old_source: str = ""
    new_source: str = ""

    @property
    def kind(self) -> str:
        """Return "added", "removed" or "changed"."""
        return "added" if self.old is None else "removed" if self.new is None else "changed"


def differences(one: Subject, other: Subject) -> tuple[Change, ...]:
    """Return what differs, in the order of the first experiment; nothing for two that ask for the same.

    Layout, comments, the order of keys and whether a default is written out do not count; the order of
    callbacks and transforms does. Of what is on one side alone, defaults are left out.
    """
    old, new = _values(one), _values(other)
    changes = [
        _change(path, old.get(path), new.get(path)) for path in (*old, *(p for p in new if p not in old))
    ]
    return (*(change for change in changes if change is not None), *_orders(one, other))


def _values(subject: Subject) -> dict[str, Entry]:
    return {entry.name: entry for entry in entries(subject) if entry.value is not None}


def _change(path: str, old: Entry | None, new: Entry | None) -> Change | None:
    if old and new:
        return None if _same(_meant(old), _meant(new)) else _between(path, old, new)
    alone = old or new
    return None if alone is None or alone.is_default else _between(path, old, new)


def _between(path: str, old: Entry | None, new: Entry | None) -> Change:
    return Change(
        path=path,
        old=old.value if old else None,
        new=new.value if new else None,
        old_source=old.source if old else "",
        new_source=new.source if new else "",
    )


def _meant(entry: Entry) -> Any:
    """Return a value without the detours that a path may take."""
    if not is_path(entry.option):
        return entry.value
    return (
        [os.path.normpath(one) for one in entry.value]
        if isinstance(entry.value, list)
        else os.path.normpath(entry.value)
    )


def _same(old: Any, new: Any) -> bool:
    return type(old) is type(new) and bool(old == new)


def _orders(one: Subject, other: Subject) -> Iterator[Change]:
    for place in ORDERED:
        here: Mapping[str, Any] = getattr(one.experiment, place)
        there: Mapping[str, Any] = getattr(other.experiment, place)
        old = [name for name in here if name in there]
        new = [name for name in there if name in here]
        if old != new:
            yield Change(
                path=place,
                old=old,
                new=new,
                old_source=f"order in {one.experiment.file}",
                new_source=f"order in {other.experiment.file}",
            )
