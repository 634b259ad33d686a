"""Write the defaults of an experiment into the text of its file, and leave the rest of it as it is."""

from __future__ import annotations

import pathlib
import re
from collections.abc import Sequence
from typing import Any

import attrs

from fxkit.config.entries import Entry, entries
from fxkit.config.layout import Layout, layout
from fxkit.config.relocation import relocated
from fxkit.config.remarks import Comments, absent, default_line
from fxkit.config.subject import Subject
from fxkit.config.writing import toml_value
from fxkit.experiment.positions import KeyPath, dotted
from fxkit.experiment.shipped import shown


def fill(subject: Subject, comments: Comments = "trailing", folder: pathlib.Path | None = None) -> str:
    """Return the text of a file with every default that its own tables leave out.

    What parents say stays with them. With `comments`, each default has its option's help, unit and range
    beside or above it, and options without a default are listed as comments. `folder` is where the text will
    stand, if not beside the file: relative paths in it are written anew.
    """
    raw = subject.path.read_bytes().decode("utf-8")
    text = raw.replace("\r\n", "\n")
    if folder is not None:
        text = relocated(subject, text, folder)
    whole = text if text.endswith("\n") else f"{text}\n"
    filled = _Filling(subject, layout(whole), comments).filled()
    return filled.replace("\n", "\r\n") if "\r\n" in raw else filled


@attrs.frozen
class _Filling:
    subject: Subject
    layout: Layout
    comments: Comments

    def filled(self) -> str:
        by_table: dict[KeyPath, list[Entry]] = {}
        for entry in entries(self.subject):
            if entry.origin is None and entry.root not in (
                one.root for one in by_table.get(entry.root[:-1], ())
            ):
                by_table.setdefault(entry.root[:-1], []).append(entry)
        text = self.layout.text
        edits = [edit for table, found in by_table.items() for edit in self.edits(table, found)]
        # From the end, so that offsets stay what they are; of those at one place the last one first.
        in_order = sorted(edits, key=lambda edit: edit[0])
        for offset, addition in reversed(in_order):
            text = text[:offset] + addition + text[offset:]
        return text

    def edits(self, table: KeyPath, found: Sequence[Entry]) -> list[tuple[int, str]]:
        if self.layout.is_inline(table):
            return self.inline(table, found)
        if table in self.layout.headers:
            return self.block(table, (), found)
        if table in self.layout.dotted:
            block = self.layout.dotted[table]
            if self.layout.is_inline(block):
                return self.inline(block, found, table[len(block) :])
            return self.block(block, table[len(block) :], found)
        return [] if self.is_parents(table) else self.anew(table, found)

    def inline(self, table: KeyPath, found: Sequence[Entry], prefix: KeyPath = ()) -> list[tuple[int, str]]:
        pairs = [
            f"{dotted((*prefix, str(one.root[-1])))} = {toml_value(self.value(one))}"
            for one in found
            if one.value is not None
        ]
        if not pairs:
            return []
        if self.layout.is_empty(table):
            return [(self.layout.spans[table][0] + 1, f" {', '.join(pairs)} ")]
        return [(self.layout.ends[table], "".join(f", {pair}" for pair in pairs))]

    def block(self, block: KeyPath, prefix: KeyPath, found: Sequence[Entry]) -> list[tuple[int, str]]:
        added = self.lines(prefix, found, self.layout.region(block))
        offset = self.layout.line_end(self.layout.ends[block])
        return [(offset, "".join(f"\n{line}" for line in added))] if added else []

    def anew(self, table: KeyPath, found: Sequence[Entry]) -> list[tuple[int, str]]:
        """Write a table that the file lacks: before its first inner table, or at the end."""
        body = "\n".join([f"[{dotted(table)}]", *self.lines((), found, "")])
        inner = [start for path, start in self.layout.starts.items() if path[: len(table)] == table]
        if inner:
            return [(min(inner), f"{body}\n\n")]
        return [(len(self.layout.text), f"\n{body}\n")]

    def lines(self, prefix: KeyPath, found: Sequence[Entry], region: str) -> list[str]:
        names = tuple(map(str, prefix))
        given = [
            default_line(names, one, self.value(one), self.comments) for one in found if one.value is not None
        ]
        # What single parameters could be told besides is many times what is.
        if self.comments == "none" or prefix:
            return given
        left = [one for one in found if one.value is None and not _is_mentioned(names, one, region)]
        return [*given, *(absent(names, one) for one in left)]

    def value(self, entry: Entry) -> Any:
        """Return the value of the whole option that an entry is, or is part of."""
        value: Any = self.subject.experiment.resolved
        for part in entry.root:
            value = value[part]
        return value

    def is_parents(self, table: KeyPath) -> bool:
        """Tell whether another file has a table, so that this one need not."""
        node = self.subject.at(table)
        own = shown(self.subject.path)
        return node is not None and any(leaf.mark.value.file != own for _, leaf in node.leaves())


def _is_mentioned(prefix: tuple[str, ...], entry: Entry, region: str) -> bool:
    key = re.escape(dotted((*prefix, str(entry.path[-1]))))
    return re.search(rf"^[ \t]*#+[ \t]*{key}[ \t]*=", region, re.MULTILINE) is not None
