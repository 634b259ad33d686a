"""Hold a file of another program as values that know where they are written."""

from __future__ import annotations

from collections.abc import Iterator, Mapping
from typing import Any

import attrs


@attrs.frozen
class Entry:
    """Hold one value: a scalar, a tuple of entries, or a mapping of names to entries.

    `key` is its path in the file, as "model.init_args.lr"; `line` counts from 1.
    """

    value: Any
    file: str
    line: int
    key: str

    @property
    def place(self) -> str:
        """Return file and line."""
        return f"{self.file}:{self.line}"

    @property
    def is_table(self) -> bool:
        """Tell whether this is a mapping."""
        return isinstance(self.value, Mapping)

    def get(self, name: str) -> Entry | None:
        """Return the entry called `name` of a mapping; None when there is none."""
        return self.value.get(name) if self.is_table else None

    def at(self, *names: str) -> Entry | None:
        """Return what stands at a path of names, or None."""
        found: Entry | None = self
        for name in names:
            found = found.get(name) if found else None
        return found

    def items(self) -> tuple[tuple[str, Entry], ...]:
        """Return the entries of a mapping, in order; nothing for any other value."""
        return tuple(self.value.items()) if self.is_table else ()

    def elements(self) -> tuple[Entry, ...]:
        """Return the entries of a list that holds tables; nothing for any other value."""
        return self._members() if self._holds_tables() else ()

    def _members(self) -> tuple[Entry, ...]:
        return self.value if isinstance(self.value, tuple) else ()

    def plain(self) -> Any:
        """Return the value without places."""
        if self.is_table:
            return {name: entry.plain() for name, entry in self.value.items()}
        return [one.plain() for one in self.value] if isinstance(self.value, tuple) else self.value

    def leaves(self) -> Iterator[Entry]:
        """Yield what holds no further names: a scalar, an empty table, a list without tables in it."""
        inner = self.elements() or tuple(entry for _, entry in self.items())
        if not inner:
            yield self
        for entry in inner:
            yield from entry.leaves()

    def _holds_tables(self) -> bool:
        return any(one.is_table or one._holds_tables() for one in self._members())
