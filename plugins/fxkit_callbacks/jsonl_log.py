"""The `jsonl` callback: losses, metrics and figures as one JSON object per line."""

from __future__ import annotations

from collections.abc import Iterable, Mapping
from typing import TYPE_CHECKING, Any

import attrs

from fxkit.files import finite, strict_json
from fxkit.spec import opt
from fxkit_callbacks._log import Log, LogOptions

if TYPE_CHECKING:
    from fxkit.context import BuildContext


@attrs.frozen(kw_only=True)
class JSONL(LogOptions):
    """Write losses, metrics and the figures of callbacks to a file of JSON lines in the run folder.

    In the long form each line has step, kind, name and value: kind is train, val or test, or what a
    callback names its figures. In the wide form a line has step, kind and the values by name. Training losses
    are written when they are due, all else whenever there is any. A resumed run drops the lines behind the
    state that it goes on from. Values that are not finite are null. RUN/metrics.jsonl is always written
    beside it; this is for a file of one's own, with its own rhythm.
    """

    file: str = opt("log.jsonl", writes=True, help="file in the run folder")

    def build(self, ctx: BuildContext) -> Log:
        """Build the callback."""
        return Log(self, Lines(long=self.form == "long"))


class Lines:
    """Write a line for each value, or one for each record."""

    header = b""

    def __init__(self, *, long: bool) -> None:
        self.long = long

    def fit(self, rows: list[bytes]) -> list[bytes]:
        """Return the rows as they are."""
        return rows

    def takes(self, names: Iterable[str]) -> bool:
        """Take any name: it stands in the line."""
        return True

    def rows(self, kind: str, step: int, values: Mapping[str, float]) -> list[bytes]:
        """Return the lines of a record."""
        place = {"step": step, "kind": kind}
        plain = {name: float(value) for name, value in values.items()}
        if self.long:
            records = [{**place, "name": name, "value": value} for name, value in plain.items()]
        else:
            records = [{**plain, **place}]
        return [f"{strict_json(finite(record))}\n".encode() for record in records]

    def state_dict(self) -> dict[str, Any]:
        """Return nothing; lines do not depend on each other."""
        return {}

    def load_state_dict(self, state: Mapping[str, Any]) -> None:
        """Do nothing."""
