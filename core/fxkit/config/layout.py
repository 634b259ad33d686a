"""Find where in the text of a TOML document values begin and end, and where a table's own lines do."""

from __future__ import annotations

import attrs

from fxkit.experiment.positions import KeyPath, _Walk


@attrs.define
class Layout(_Walk):
    """Hold offsets into a text: `spans` of values, `headers` and `ends` of blocks, `dotted` tables.

    A block is a table with a header of its own, or the part before the first header: `headers` holds where
    its header ends, `ends` where the last line of its own does, before a comment on that line. Of a table in
    braces `ends` holds where its last pair does. `dotted` maps a table that dotted keys make to its block.
    """

    spans: dict[KeyPath, tuple[int, int]] = attrs.field(factory=dict)
    headers: dict[KeyPath, int] = attrs.field(factory=dict)
    starts: dict[KeyPath, int] = attrs.field(factory=dict)
    ends: dict[KeyPath, int] = attrs.field(factory=dict)
    dotted: dict[KeyPath, KeyPath] = attrs.field(factory=dict)

    def header(self) -> KeyPath:
        """Walk over a header."""
        start = self.at
        path = super().header()
        self.starts[path] = start
        self.headers[path] = self.ends[path] = self.at
        return path

    def pair(self, table: KeyPath) -> None:
        """Walk over a key and its value."""
        super().pair(table)
        self.ends[table] = self.at
        # Of the values in a value, the outermost ends last.
        path = next(reversed(self.spans))
        for depth in range(len(table) + 1, len(path)):
            self.dotted.setdefault(path[:depth], table)

    def value(self, path: KeyPath) -> None:
        """Walk over a value."""
        start = self.at
        super().value(path)
        self.spans[path] = (start, self.at)

    def is_inline(self, path: KeyPath) -> bool:
        """Tell whether a table is written in braces."""
        return path in self.spans and self.text.startswith("{", self.spans[path][0])

    def is_empty(self, path: KeyPath) -> bool:
        """Tell whether a table in braces holds nothing."""
        start, end = self.spans[path]
        return not self.text[start + 1 : end - 1].strip()

    def region(self, block: KeyPath) -> str:
        """Return the text of a block: from its header to the next one."""
        start = self.headers.get(block, 0)
        return self.text[start : self.next_header(start)]

    def next_header(self, offset: int) -> int:
        """Return where the first header behind an offset begins, or the end of the text."""
        return min((start for start in self.starts.values() if start >= offset), default=len(self.text))

    def line_end(self, offset: int) -> int:
        """Return where the line ends that holds an offset."""
        end = self.text.find("\n", offset)
        return len(self.text) if end < 0 else end


def layout(text: str) -> Layout:
    """Return the layout of a valid TOML document whose lines end in a line feed."""
    found = Layout(text)
    found.document()
    return found
