"""The journal as charts need it: records of a kind, their numbers, and lines over training steps."""

from __future__ import annotations

import math
from collections.abc import Mapping, Sequence
from typing import Any

from fxkit.report.chart import Chart, Line
from fxkit.report.contents import RunContents

Records = Sequence[Mapping[str, Any]]

_STEP = "training step"
# Values that reach over more than this factor are drawn in logarithms.
_WIDE = 8.0


def of_kind(records: Records, *kinds: str) -> Records:
    """Return the records of some kinds."""
    return [record for record in records if record["kind"] in kinds]


def numbers_of(record: Mapping[str, Any]) -> dict[str, float]:
    """Return the numbers of a record, those of tables inside it as NAME.KEY."""
    found: dict[str, float] = {}
    for name, value in record.items():
        if isinstance(value, Mapping):
            found.update({f"{name}.{key}": inner for key, inner in numbers_of(value).items()})
        elif isinstance(value, (int, float)) and not isinstance(value, bool) and name != "step":
            found[name] = float(value)
    return found


def line_of(records: Records, key: str, name: str, colour: int, style: str) -> list[Line]:
    """Return the line of one number over the steps, or none where it was never recorded."""
    values = [(record["step"], numbers_of(record)) for record in records]
    points = [(step, figures[key]) for step, figures in values if key in figures]
    if not points:
        return []
    x, y = zip(*points, strict=True)
    return [Line(name=name, x=x, y=y, colour=colour, style=style)]


def step_chart(title: str, label: str, lines: Sequence[Line], marks: tuple[tuple[float, str], ...]) -> Chart:
    """Return a chart over the steps, logarithmic where its values reach far."""
    known = [value for line in lines for value in line.y if math.isfinite(value)]
    wide = bool(known) and min(known) > 0 and max(known) / min(known) > _WIDE
    return Chart(title=title, x_label=_STEP, y_label=label, lines=tuple(lines), log_y=wide, marks=marks)


def phase_marks(run: RunContents) -> tuple[tuple[float, str], ...]:
    """Return where phases begin, but for the first."""
    return tuple((float(record["step"]), str(record["name"])) for record in of_kind(run.records, "phase"))[1:]
