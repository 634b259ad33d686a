"""Account for every key of the files that are brought over: mapped, without counterpart, or not needed."""

from __future__ import annotations

import pathlib
from collections.abc import Iterable, Iterator
from typing import Any, Literal

import attrs

from fxkit.experiment.wording import inline_toml
from fxkit.migration.entry import Entry

State = Literal["mapped", "missing", "unneeded"]
STATES: dict[State, str] = {
    "missing": "no counterpart",
    "mapped": "mapped",
    "unneeded": "not needed",
}
UNKNOWN = "this key is not known here"


@attrs.frozen(kw_only=True)
class Verdict:
    """Say what becomes of one key: where it goes, and a note; or why it goes nowhere.

    `target` is a path in the new file; for a key without counterpart the table that says so.
    """

    entry: Entry
    state: State
    target: str
    note: str

    @property
    def value(self) -> str:
        """Write the key's value on one line, shortened."""
        value = self.entry.plain()
        text = "null" if value is None else "{}" if value == {} else inline_toml(value)
        return text if len(text) <= 60 else f"{text[:57]}..."

    @property
    def file(self) -> str:
        """Return the name of the file, without its folder."""
        return pathlib.PurePath(self.entry.file).name

    @property
    def short_place(self) -> str:
        """Return the name of the file, without its folder, and the line."""
        return f"{self.file}:{self.entry.line}"

    @property
    def short_key(self) -> str:
        """Return the key without the steps that only Lightning's command line has."""
        return self.entry.key.replace(".init_args", "")

    def row(self) -> dict[str, Any]:
        """Return the verdict as plain data."""
        return {
            "state": self.state,
            "file": self.entry.file,
            "line": self.entry.line,
            "key": self.entry.key,
            "value": self.entry.plain(),
            "target": self.target if self.state == "mapped" else "",
            "note": self.note,
        }


@attrs.frozen
class Ledger:
    """Gather verdicts; each leaf of the sources gets one, and only one."""

    verdicts: dict[tuple[str, str], Verdict] = attrs.field(factory=dict)

    def mapped(self, entry: Entry | None, target: str, note: str = "") -> None:
        """Note that a key, with all that it holds, went to `target`; nothing happens for None."""
        self._judge(entry, "mapped", target, note)

    def missing(self, entry: Entry | None, why: str, place: str = "") -> None:
        """Note that a key has no counterpart, and the table of the new file that is to say so."""
        self._judge(entry, "missing", place, why)

    def unneeded(self, entry: Entry | None, why: str) -> None:
        """Note that a key says nothing that fxkit needs to be told."""
        self._judge(entry, "unneeded", "", why)

    def knows(self, leaf: Entry) -> bool:
        """Tell whether a leaf was judged."""
        return (leaf.file, leaf.key) in self.verdicts

    def _judge(self, entry: Entry | None, state: State, target: str, note: str) -> None:
        if entry is None:
            return
        leaves = list(entry.leaves())
        fresh = [leaf for leaf in leaves if not self.knows(leaf)]
        if leaves == [entry] and not fresh:
            raise ValueError(f"{entry.place} {entry.key} is judged twice")
        for leaf in fresh:
            self.verdicts[leaf.file, leaf.key] = Verdict(entry=leaf, state=state, target=target, note=note)

    def close(self, sources: Iterable[Entry], why: str = UNKNOWN) -> None:
        """Note every leaf that is left: as not needed where it says nothing, else as without counterpart."""
        for source in sources:
            for leaf in source.leaves():
                if not self.knows(leaf) and leaf.plain() is None:
                    self.unneeded(leaf, "null leaves it open")
                elif not self.knows(leaf):
                    self.missing(leaf, why)

    def of(self, *states: State) -> Iterator[Verdict]:
        """Yield the verdicts of some states, in the order of the files."""
        files = list(dict.fromkeys(file for file, _ in self.verdicts))
        ordered = sorted(
            self.verdicts.values(), key=lambda one: (files.index(one.entry.file), one.entry.line)
        )
        return (one for one in ordered if one.state in (states or STATES))

    @property
    def is_complete(self) -> bool:
        """Tell whether nothing is without counterpart."""
        return all(one.state != "missing" for one in self.verdicts.values())
