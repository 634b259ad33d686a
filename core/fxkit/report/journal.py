"""What callbacks left in the journal: curves of their figures, single figures, hook times and failures."""

from __future__ import annotations

from collections.abc import Iterator, Mapping, Sequence
from typing import Any

import attrs

from fxkit.inspection.card import ParameterCard
from fxkit.report.chart import COLOURS, Chart, Line
from fxkit.report.contents import RunContents
from fxkit.report.figures import number
from fxkit.report.records import line_of, numbers_of, of_kind, phase_marks, step_chart

_OWN_PLACE = {"train", "val", "phase", "terms", "parameters", "polarity", "hooks", "callback-errors"}
_MOST_LINES = 7
_MOST_CHARTS = 12
# As many figures of one kind get a chart each.
_FEW = 6


@attrs.frozen
class HookRow:
    """Hold what one callback's hook took: times as text, `share` of the run's wall time."""

    callback: str
    hook: str
    calls: int
    total: str
    mean: str
    worst: str
    share: str


def figure_charts(run: RunContents) -> tuple[Chart, ...]:
    """Return charts of what callbacks recorded more than once, a kind at a time."""
    charts = [chart for kind in _kinds(run) for chart in _kind_charts(run, kind)]
    return tuple(charts)[:_MOST_CHARTS]


def single_figures(run: RunContents) -> tuple[tuple[str, str], ...]:
    """Return what callbacks recorded once, name and value."""
    found: list[tuple[str, str]] = []
    for kind in _kinds(run):
        records = of_kind(run.records, kind)
        values = numbers_of(records[0]) if len(records) == 1 else {}
        found += [(f"{kind}: {name}", number(value)) for name, value in values.items()]
    return tuple(found)


def _kinds(run: RunContents) -> list[str]:
    kinds = dict.fromkeys(str(record["kind"]) for record in run.records)
    return [kind for kind in kinds if kind not in _OWN_PLACE]


def _kind_charts(run: RunContents, kind: str) -> Iterator[Chart]:
    lines = [line for line in _lines(run, kind) if len(set(line.y)) > 1]
    width = 1 if len(lines) <= _FEW else _MOST_LINES
    for group in (lines[start : start + width] for start in range(0, len(lines), width)):
        shown = [attrs.evolve(line, colour=place % COLOURS) for place, line in enumerate(group)]
        title = f"{kind}: {group[0].name}" if width == 1 else kind
        yield step_chart(title, "value", shown, phase_marks(run))


def _lines(run: RunContents, kind: str) -> list[Line]:
    records = of_kind(run.records, kind)
    keys = dict.fromkeys(key for record in records for key in numbers_of(record))
    return [line for key in keys for line in line_of(records, key, key, 0, "line")]


def parameter_charts(run: RunContents) -> tuple[Chart, ...]:
    """Return how the parameters moved over the training, where that was recorded, a chart for each."""
    groups: dict[str, list[Line]] = {}
    for line in _lines(run, "parameters"):
        name, _, place = line.name.rpartition(".")
        groups.setdefault(name if place.isdigit() else line.name, []).append(line)
    cards = _cards(run)
    charts = (_parameter_chart(run, name, lines, cards.get(name)) for name, lines in groups.items())
    return tuple(chart for chart in charts if any(len(line.x) > 1 for line in chart.lines))


def _cards(run: RunContents) -> dict[str, ParameterCard]:
    nodes = run.card.nodes.values() if run.card else ()
    return {f"{node.name}.{one.name}": one for node in nodes for one in node.parameters}


def _parameter_chart(run: RunContents, name: str, lines: Sequence[Line], card: ParameterCard | None) -> Chart:
    coloured = [attrs.evolve(line, colour=place % COLOURS) for place, line in enumerate(lines)]
    chart = step_chart(
        name, card.unit if card and card.unit else name.rpartition(".")[2], coloured, phase_marks(run)
    )
    return attrs.evolve(chart, log_y=card is not None and card.mapping == "log" and card.low > 0)


def hook_rows(run: RunContents) -> tuple[HookRow, ...]:
    """Return how long each callback took, where it was traced; the newest trace counts."""
    records = of_kind(run.records, "hooks")
    if not records:
        return ()
    wall = max(float(records[-1]["wall"]), 1e-9)
    return tuple(_hook_row(row, wall) for row in records[-1]["hooks"])


def _hook_row(row: Mapping[str, Any], wall: float) -> HookRow:
    return HookRow(
        callback=str(row["callback"]),
        hook=str(row["hook"]),
        calls=int(row["calls"]),
        total=f"{row['seconds']:.3f} s",
        mean=f"{1000 * row['mean']:.3f} ms",
        worst=f"{1000 * row['worst']:.3f} ms",
        share=f"{row['seconds'] / wall:.2%}",
    )


def failures(run: RunContents) -> tuple[str, ...]:
    """Return a line for each callback that failed."""
    records = of_kind(run.records, "callback-errors")
    latest = {name: counts for record in records for name, counts in record.items()}
    shown = {name: counts for name, counts in latest.items() if isinstance(counts, Mapping)}
    return tuple(
        f"callbacks.{name} failed: " + ", ".join(f"{key} {value}" for key, value in counts.items())
        for name, counts in shown.items()
    )
