"""How the training went: losses and metrics over steps, and whatever else the journal holds."""

from __future__ import annotations

from collections.abc import Iterable, Mapping, Sequence
from typing import Any

from fxkit.report.chart import COLOURS, Chart, Line
from fxkit.report.contents import Contents, RunContents
from fxkit.report.records import Records, line_of, numbers_of, of_kind, phase_marks, step_chart

_MOST_CHARTS = 12


def loss_charts(contents: Contents, names: Sequence[str]) -> tuple[Chart, ...]:
    """Return one chart per loss and metric: validation, with the training thin behind it."""
    found = dict.fromkeys(name for run in contents.runs for name in _figures(run))
    charts = (_loss_chart(contents, names, name) for name in sorted(found, key=lambda name: name != "loss"))
    return tuple(chart for chart in charts if chart.lines)[:_MOST_CHARTS]


def _figures(run: RunContents) -> list[str]:
    return [
        name
        for record in of_kind(run.records, "val", "train")
        for name in numbers_of(record)
        if name != "total"
    ]


def _loss_chart(contents: Contents, names: Sequence[str], name: str) -> Chart:
    lines: list[Line] = []
    several = len(contents.runs) > 1
    for number, run in enumerate(contents.runs):
        prefix = f"{names[number]}, " if several else ""
        training = "total" if name == "loss" else name
        lines += line_of(of_kind(run.records, "train"), training, f"{prefix}training", number, "faint")
        colour = number if several else 1
        lines += line_of(of_kind(run.records, "val"), name, f"{prefix}validation", colour, "dots")
    title = "total loss" if name == "loss" else name
    marks = () if several else (*phase_marks(contents.runs[0]), *_best(contents.runs[0]))
    return step_chart(title, title, lines, marks)


def share_charts(run: RunContents) -> tuple[Chart, ...]:
    """Return what each loss has in the total and in the gradient, where that was recorded."""
    records = of_kind(run.records, "terms")
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
    keys = list(dict.fromkeys(key for record in records for key in numbers_of(record)))
    lines = [line for n, key in enumerate(keys) for line in line_of(records, key, key, n % COLOURS, "line")]
    moving = [line for line in lines if len(set(line.y)) > 1]
    if len(keys) > 1 and moving:
        yield step_chart(title, label, lines, ())


def _part(record: Mapping[str, Any], key: str) -> dict[str, Any]:
    part = record.get(key)
    return {"step": record["step"], **(part if isinstance(part, Mapping) else {})}


def _best(run: RunContents) -> tuple[tuple[float, str], ...]:
    best = run.results.get("best")
    return () if best is None else ((float(best), "kept"),)
