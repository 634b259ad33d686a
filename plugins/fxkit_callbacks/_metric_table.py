"""A table of metrics as CSV: one line for each recording of each evaluation."""

from __future__ import annotations

import csv
import io
from collections.abc import Callable, Mapping, Sequence
from pathlib import Path

import attrs

from fxkit.files import write_text


@attrs.frozen
class MetricTable:
    """Hold where a table stands, and the metrics that it has columns for."""

    path: Path
    metrics: tuple[str, ...]

    @property
    def columns(self) -> tuple[str, ...]:
        """Return the names of all columns."""
        return ("step", "split", "recording", *self.metrics)

    def keep(self, wanted: Callable[[Mapping[str, str]], bool]) -> None:
        """Drop the rows that are not wanted, and one that was cut off while it was written."""
        if not self.path.is_file():
            return
        with self.path.open(newline="", encoding="utf-8") as stream:
            rows = [row for row in csv.DictReader(stream) if row.get(self.columns[-1])]
        kept = [[row[name] for name in self.columns] for row in rows if wanted(row)]
        write_text(self.path, _lines([self.columns, *kept]))

    def add(self, split: str, step: int, rows: Sequence[tuple[str, Mapping[str, float]]]) -> None:
        """Append an evaluation: each recording's name with its values."""
        cells = [(step, split, name, *(values[one] for one in self.metrics)) for name, values in rows]
        if not self.path.is_file():
            write_text(self.path, _lines([self.columns, *cells]))
            return
        with self.path.open("a", newline="", encoding="utf-8") as stream:
            stream.write(_lines(cells))


def _lines(rows: Sequence[Sequence[object]]) -> str:
    stream = io.StringIO()
    csv.writer(stream, lineterminator="\n").writerows(rows)
    return stream.getvalue()
