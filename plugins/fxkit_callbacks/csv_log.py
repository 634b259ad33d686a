"""The `csv` callback: losses, metrics and figures as a table for spreadsheets and data frames."""

from __future__ import annotations

import csv
import io
from collections.abc import Iterable, Mapping, Sequence
from typing import TYPE_CHECKING, Any

import attrs

from fxkit.spec import opt
from fxkit_callbacks._log import Log, LogOptions

if TYPE_CHECKING:
    from fxkit.context import BuildContext


@attrs.frozen(kw_only=True)
class CSV(LogOptions):
    """Write losses, metrics and the figures of callbacks to a CSV file in the run folder.

    The long form has the columns step, kind, name and value: kind is train, val or test, or what a callback
    names its figures. The wide form has a column for each name, which is empty where a kind has none.
    Training losses are written when they are due, all else whenever there is any. A resumed run drops the
    rows behind the state that it goes on from. Values that are not finite are written as nan, inf and -inf.
    """

    file: str = opt("log.csv", writes=True, help="file in the run folder")

    def build(self, ctx: BuildContext) -> Log:
        """Build the callback."""
        return Log(self, Wide() if self.form == "wide" else Long())


class Long:
    """Write a row for each value."""

    @property
    def header(self) -> bytes:
        """Return the names of the columns."""
        return line(("step", "kind", "name", "value"))

    def fit(self, rows: list[bytes]) -> list[bytes]:
        """Return the rows as they are."""
        return rows

    def takes(self, names: Iterable[str]) -> bool:
        """Take any name: it stands in the row."""
        return True

    def rows(self, kind: str, step: int, values: Mapping[str, float]) -> list[bytes]:
        """Return the lines of a record."""
        return [line((step, kind, name, number(value))) for name, value in values.items()]

    def state_dict(self) -> dict[str, Any]:
        """Return nothing; the columns never change."""
        return {}

    def load_state_dict(self, state: Mapping[str, Any]) -> None:
        """Do nothing."""


class Wide:
    """Write a row for each record; columns are added as names come up."""

    def __init__(self) -> None:
        self.names: list[str] = []

    @property
    def header(self) -> bytes:
        """Return the names of the columns."""
        return line(("step", "kind", *self.names))

    def fit(self, rows: list[bytes]) -> list[bytes]:
        """Return rows with as many cells as there are columns now."""
        width = 2 + len(self.names)
        cells = csv.reader(io.StringIO(b"".join(rows).decode(), newline=""))
        return [line([*row, *[""] * width][:width]) for row in cells]

    def takes(self, names: Iterable[str]) -> bool:
        """Tell whether all have a column; give those that have none one."""
        new = [name for name in names if name not in self.names]
        self.names += new
        return not new

    def rows(self, kind: str, step: int, values: Mapping[str, float]) -> list[bytes]:
        """Return the line of a record."""
        cells = (number(values[name]) if name in values else "" for name in self.names)
        return [line((step, kind, *cells))]

    def state_dict(self) -> dict[str, Any]:
        """Return the columns."""
        return {"names": list(self.names)}

    def load_state_dict(self, state: Mapping[str, Any]) -> None:
        """Go on from `state_dict`."""
        self.names = list(state["names"])


def number(value: float) -> str:
    """Write a number with all its digits."""
    return repr(float(value))


def line(cells: Sequence[object]) -> bytes:
    """Write one line of CSV; a line break in a name would be two lines, and is written as a space."""
    stream = io.StringIO(newline="")
    csv.writer(stream, lineterminator="\n").writerow([" ".join(str(cell).splitlines()) for cell in cells])
    return stream.getvalue().encode()
