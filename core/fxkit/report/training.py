"""How the training went: losses and metrics over steps, and whatever else the journal holds."""

from __future__ import annotations

import math
from collections.abc import Iterable, Mapping, Sequence
from typing import Any

from fxkit.report.chart import COLOURS, Chart, Line
from fxkit.report.contents import Contents, RunContents

_STEP = "training step"
_KNOWN = {"train", "val", "phase", "terms"}
_MOST_LINES = 8
_MOST_CHARTS = 12
# Values that reach over more than this factor are drawn in logarithms.
_WIDE = 8.0

Records = Sequence[Mapping[str, Any]]


def loss_charts(contents: Contents, names: Sequence[str]) -> tuple[Chart, ...]:
    """Return one chart per loss and metric: validation, with the training thin behind it."""
    found = dict.fromkeys(name for run in contents.runs for name in _figures(run))
    charts = (_loss_chart(contents, names, name) for name in sorted(found, key=lambda name: name != "loss"))
    return tuple(chart for chart in charts if chart.lines)[:_MOST_CHARTS]


def _figures(run: RunContents) -> list[str]:
    return [name for record in _of(run.records, "val", "train") for name in _flat(record) if name != "total"]


def _loss_chart(contents: Contents, names: Sequence[str], name: str) -> Chart:
    lines: list[Line] = []
    several = len(contents.runs) > 1
    for number, run in enumerate(contents.runs):
        prefix = f"{names[number]}, " if several else ""
        training = "total" if name == "loss" else name
        lines += _line(_of(run.records, "train"), training, f"{prefix}training", number, "faint")
        colour = number if several else 1
        lines += _line(_of(run.records, "val"), name, f"{prefix}validation", colour, "dots")
    title = "total loss" if name == "loss" else name
    marks = () if several else (*_phases(contents.runs[0]), *_best(contents.runs[0]))
    return _chart(title, title, lines, marks)


def other_charts(run: RunContents) -> tuple[Chart, ...]:
    """Return charts of what callbacks wrote into the journal, a kind at a time."""
    kinds = dict.fromkeys(str(record["kind"]) for record in run.records)
    charts = [chart for kind in kinds if kind not in _KNOWN for chart in _kind_charts(run, kind)]
    return tuple(charts)[:_MOST_CHARTS]


def _kind_charts(run: RunContents, kind: str) -> Iterable[Chart]:
    records = _of(run.records, kind)
    keys = list(dict.fromkeys(key for record in records for key in _flat(record)))
    lines = [line for n, key in enumerate(keys) for line in _line(records, key, key, n % COLOURS, "line")]
    lines = [line for line in lines if len(line.x) > 1]
    for start in range(0, len(lines), _MOST_LINES):
        yield _chart(kind, "value", lines[start : start + _MOST_LINES], _phases(run))


def share_charts(run: RunContents) -> tuple[Chart, ...]:
    """Return what each loss has in the total and in the gradient, where that was recorded."""
    records = _of(run.records, "terms")
    titles = {
        "gradient_share": ("Share of the gradient's norm", "share"),
        "weighted": ("Losses times their weights", "weighted loss"),
        "weights": ("Weights of the losses", "weight"),
    }
    return tuple(
        chart
        for key, (title, label) in titles.items()
        for chart in _share_chart([_part(record, key) for record in records], title, label)
    )


def _share_chart(records: Records, title: str, label: str) -> Iterable[Chart]:
    keys = list(dict.fromkeys(key for record in records for key in _flat(record)))
    lines = [line for n, key in enumerate(keys) for line in _line(records, key, key, n % COLOURS, "line")]
    moving = [line for line in lines if len(set(line.y)) > 1]
    if len(keys) > 1 and moving:
        yield _chart(title, label, lines, ())


def _part(record: Mapping[str, Any], key: str) -> dict[str, Any]:
    part = record.get(key)
    return {"step": record["step"], **(part if isinstance(part, Mapping) else {})}


def _of(records: Records, *kinds: str) -> Records:
    return [record for record in records if record["kind"] in kinds]


def _flat(record: Mapping[str, Any]) -> dict[str, float]:
    """Return the numbers of a record, those of tables inside it as NAME.KEY."""
    found: dict[str, float] = {}
    for name, value in record.items():
        if isinstance(value, Mapping):
            found.update({f"{name}.{key}": inner for key, inner in _flat(value).items()})
        elif isinstance(value, (int, float)) and not isinstance(value, bool) and name != "step":
            found[name] = float(value)
    return found


def _line(records: Records, key: str, name: str, colour: int, style: str) -> list[Line]:
    values = [(record["step"], _flat(record)) for record in records]
    points = [(step, figures[key]) for step, figures in values if key in figures]
    if not points:
        return []
    x, y = zip(*points, strict=True)
    return [Line(name=name, x=x, y=y, colour=colour, style=style)]


def _chart(title: str, label: str, lines: Sequence[Line], marks: tuple[tuple[float, str], ...]) -> Chart:
    known = [value for line in lines for value in line.y if math.isfinite(value)]
    wide = bool(known) and min(known) > 0 and max(known) / min(known) > _WIDE
    return Chart(title=title, x_label=_STEP, y_label=label, lines=tuple(lines), log_y=wide, marks=marks)


def _phases(run: RunContents) -> tuple[tuple[float, str], ...]:
    return tuple((float(record["step"]), str(record["name"])) for record in _of(run.records, "phase"))[1:]


def _best(run: RunContents) -> tuple[tuple[float, str], ...]:
    best = run.results.get("best")
    return () if best is None else ((float(best), "kept"),)
