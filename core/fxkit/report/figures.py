"""The figures of a report: each loss and metric with its limits, beside what needs no model."""

from __future__ import annotations

import math
from collections.abc import Iterator, Mapping, Sequence
from typing import Any

import attrs

from fxkit.report.contents import Contents, RunContents
from fxkit.scores import Interval

BASELINES = {
    "filter": "best linear filter",
    "gain": "best single gain",
    "input": "input unchanged",
    "noise": "noise alike",
    "silence": "silence",
}


@attrs.frozen(kw_only=True)
class Bar:
    """Hold one row of a figure: places on the bar are shares of its width; None where there is no value.

    `start` and `stop` are the ends of the bar, `low` and `high` the limits.
    """

    name: str
    text: str
    limits: str = ""
    start: float = 0.0
    stop: float = 0.0
    low: float | None = None
    high: float | None = None
    colour: int | None = None


@attrs.frozen(kw_only=True)
class Figure:
    """Hold a loss or a metric: `plugin` computes it, `trained` tells whether the run minimised it."""

    name: str
    plugin: str
    trained: bool
    higher: bool
    bars: tuple[Bar, ...]
    note: str = ""


@attrs.frozen(kw_only=True)
class Difference:
    """Hold how a run differs from the first: `verdict` is better, worse or even."""

    run: str
    metric: str
    text: str
    limits: str
    verdict: str


def plugin_of(run: RunContents, name: str) -> tuple[str, Mapping[str, Any], bool]:
    """Return the plugin behind a loss or metric, its options, and whether it was trained on."""
    for table, trained in (("losses", True), ("metrics", False)):
        options = run.resolved.get(table, {}).get(name)
        if options is not None:
            return str(options.get("type", "")).removeprefix("fxkit/"), options, trained
    return "", {}, False


def limits_of(run: RunContents, name: str) -> Interval:
    """Return a figure with the limits that are known: of other recordings, else of other passages."""
    interval = run.scores.metrics[name]
    return interval if interval.known else run.scores.stretches.get(name, interval)


def figures(contents: Contents, names: Sequence[str]) -> tuple[Figure, ...]:
    """Return a figure for each loss and metric of the first run, the weighted total last."""
    first = contents.runs[0]
    ordered = sorted(first.scores.metrics, key=lambda name: (name == "loss", plugin_of(first, name)[2]))
    return tuple(_figure(contents, names, name) for name in ordered)


def _figure(contents: Contents, names: Sequence[str], name: str) -> Figure:
    first = contents.runs[0]
    plugin, _, trained = plugin_of(first, name)
    rows = list(_rows(contents, names, name))
    low, high = _span([value for _, interval, _ in rows for value in _values(interval)])
    return Figure(
        name=name,
        plugin=plugin,
        trained=trained,
        higher=name in first.scores.higher,
        bars=tuple(_bar(label, interval, colour, low, high) for label, interval, colour in rows),
        note=_note(first, name),
    )


def _rows(contents: Contents, names: Sequence[str], name: str) -> Iterator[tuple[str, Interval, int | None]]:
    several = len(contents.runs) > 1
    for number, run in enumerate(contents.runs):
        if name in run.scores.metrics:
            yield (names[number] if several else "model"), limits_of(run, name), number
    baselines = contents.runs[0].scores.baselines
    for baseline in sorted(baselines, key=lambda one: list(BASELINES).index(one) if one in BASELINES else -1):
        value = baselines[baseline].get(name)
        if value is not None:
            yield BASELINES.get(baseline, baseline), Interval(value), None


def _values(interval: Interval) -> list[float]:
    given = (interval.value, interval.low, interval.high)
    return [value for value in given if value is not None and math.isfinite(value)]


def _span(values: Sequence[float]) -> tuple[float, float]:
    low, high = min([0.0, *values]), max([0.0, *values])
    return (low, high) if high > low else (0.0, 1.0)


def _bar(name: str, interval: Interval, colour: int | None, low: float, high: float) -> Bar:
    def share(value: float) -> float:
        return round(min(max((value - low) / (high - low), 0.0), 1.0), 4)

    if not math.isfinite(interval.value):
        return Bar(name=name, text="none", colour=colour)
    ends = sorted((share(0.0), share(interval.value)))
    known = interval.low is not None and interval.high is not None
    return Bar(
        name=name,
        text=number(interval.value),
        limits=limits_text(interval),
        start=ends[0],
        stop=ends[1],
        low=share(interval.low) if known and interval.low is not None else None,
        high=share(interval.high) if known and interval.high is not None else None,
        colour=colour,
    )


def _note(run: RunContents, name: str) -> str:
    interval = run.scores.metrics[name]
    if interval.known or name not in run.scores.stretches or not run.scores.stretches[name].known:
        return ""
    return "limits: other passages of the same recordings"


def differences(contents: Contents, names: Sequence[str]) -> tuple[Difference, ...]:
    """Return how each run differs from the first in each figure."""
    comparison = contents.comparison
    if comparison is None:
        return ()
    by_run = {run.scores.run: name for run, name in zip(contents.runs, names, strict=True)}
    higher = contents.runs[0].scores.higher
    return tuple(
        Difference(
            run=by_run.get(run, run),
            metric=metric,
            text=f"{interval.value:+.4g}",
            limits=limits_text(interval),
            verdict=_verdict(interval, metric in higher),
        )
        for run, metrics in comparison.differences.items()
        for metric, interval in metrics.items()
    )


def _verdict(interval: Interval, higher: bool) -> str:
    if not interval.known or interval.sign == 0:
        return "no clear difference" if interval.known else ""
    return "better" if (interval.sign > 0) == higher else "worse"


def number(value: float | None) -> str:
    """Write a figure with four digits."""
    return "none" if value is None or not math.isfinite(value) else f"{value:.4g}"


def limits_text(interval: Interval) -> str:
    """Write the limits of a figure; nothing where there are none."""
    if interval.low is None or interval.high is None:
        return ""
    return f"{number(interval.low)} to {number(interval.high)}"
