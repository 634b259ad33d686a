"""Write scores as tables: models beside the baselines, a column per metric."""

from __future__ import annotations

import math
from collections.abc import Iterator, Mapping, Sequence
from pathlib import PurePath
from typing import TYPE_CHECKING

from fxkit.cli.output import GAP, bold, page_width
from fxkit.runs.folder import RunFolder
from fxkit.scores import FEWEST, TOTAL, Comparison, Interval, Scores

if TYPE_CHECKING:
    from fxkit.run_end import RunResult

Row = list[str]

_LABELS = {
    "input": "input unchanged",
    "gain": "best single gain",
    "filter": "best linear filter",
    "noise": "noise shaped like it",
}


def result_table(result: RunResult) -> str:
    """Write a run's result for people."""
    kept = f"weights of step {result.best}" if result.best is not None else "last weights"
    stopped = f", stopped: {result.stopped}" if result.stopped else ""
    head = f"{result.steps} steps in {result.seconds:.0f} s{stopped}; {kept}; {result.weights} weights"
    scored = score_table(result.scores) if result.test else "no test recordings"
    few = 0 < len(result.scores.recordings) < FEWEST
    more = f"\nfxkit eval {result.run} finds limits over stretches of time" if few else ""
    report = RunFolder(result.run).report
    written = f"\nreport: {report}" if report.is_file() else ""
    return f"{scored}{more}\n{head}\nrun folder: {result.run}{written}"


def score_table(scores: Scores, *, each: bool = False) -> str:
    """Align the figures of the model and the baselines in columns; "-" where there is none.

    With `each`, the recordings' own figures stand above.
    """
    names = _names(scores)
    rows = [["", *names]]
    if each:
        rows += [[name, *_cells(figures, names)] for name, figures in scores.recordings.items()]
    limits = scores.stretches or scores.metrics
    rows.append(["model", *(_limited(limits.get(name), scores.means.get(name)) for name in names)])
    rows += _baseline_rows(scores, names)
    return "\n".join([_aligned(rows), *_notes(scores)])


def comparison_table(comparison: Comparison) -> str:
    """Align the figures of several runs, the baselines, and how each run differs from the first."""
    first, *others = comparison.runs
    names = list(dict.fromkeys(name for run in comparison.runs for name in _names(run)))
    short = short_names([run.run for run in comparison.runs])
    rows = [["", *names]]
    rows += [
        [short[run.run], *(_limited(_limits(run).get(name), run.means.get(name)) for name in names)]
        for run in comparison.runs
    ]
    rows += _baseline_rows(first, names)
    for other in others:
        differences = comparison.differences[other.run]
        label = f"{short[other.run]} less {short[first.run]}"
        rows.append([label, *(_limited(differences.get(name), None) for name in names)])
        if len(first.recordings) > 1:
            wins = [_wins(first, other, name) if name in differences else "-" for name in names]
            rows.append([f"{GAP}better on", *wins])
    verdicts = [f"{short[other.run]}: {verdict(comparison, other)}" for other in others]
    return "\n".join([_aligned(rows), *verdicts, *_notes(first), *_pairing(comparison), *comparison.notes])


def short_names(paths: Sequence[str]) -> dict[str, str]:
    """Return path -> its last part, or all of it where several end alike."""
    ends = [PurePath(path).name for path in paths]
    return {path: end if ends.count(end) == 1 else path for path, end in zip(paths, ends, strict=True)}


def verdict(comparison: Comparison, other: Scores) -> str:
    """Say by which metrics a run is better or worse than the first, as far as that can be told."""
    found: dict[str, list[str]] = {"better by": [], "worse by": [], "not told apart by": []}
    for name, interval in comparison.differences[other.run].items():
        if name != TOTAL:
            found[_word(interval, name in other.higher)].append(name)
    told = [f"{word} {', '.join(names)}" for word, names in found.items() if names]
    return "; ".join(told) or "nothing to compare"


def _word(interval: Interval, higher: bool) -> str:
    good = interval.sign if higher else -interval.sign
    return {1: "better by", -1: "worse by", 0: "not told apart by"}[good]


def _names(scores: Scores) -> list[str]:
    return [name for name in scores.metrics if name != TOTAL]


def _limits(scores: Scores) -> Mapping[str, Interval]:
    return scores.stretches or scores.metrics


def _baseline_rows(scores: Scores, names: Sequence[str]) -> list[Row]:
    return [[_LABELS.get(name, name), *_cells(row, names)] for name, row in scores.baselines.items()]


def _cells(figures: Mapping[str, float], names: Sequence[str]) -> Row:
    return [_figure(figures.get(name)) for name in names]


def _figure(value: float | None) -> str:
    return "-" if value is None else f"{value:.5g}"


def _limited(interval: Interval | None, value: float | None) -> str:
    if interval is None or interval.low is None or interval.high is None:
        return _figure(value if interval is None else interval.value)
    return f"{interval.value:.5g} [{interval.low:.3g}, {interval.high:.3g}]"


def _wins(first: Scores, other: Scores, name: str) -> str:
    """Count the recordings on which a run is better than the first."""
    theirs = {other.digests.get(key, key): figures for key, figures in other.recordings.items()}
    pairs = [
        (figures[name], theirs[first.digests.get(key, key)][name])
        for key, figures in first.recordings.items()
    ]
    better = sum(b > a if name in first.higher else b < a for a, b in pairs)
    return f"{better} of {len(pairs)}"


def _notes(scores: Scores) -> Iterator[str]:
    count = len(scores.recordings)
    recordings = f"{count} recording{'s' * (count != 1)}"
    if any(one.known for one in scores.metrics.values()):
        yield f"[low, high]: 95 % confidence limits for other recordings of the kind, by {recordings}"
    elif any(one.known for one in scores.stretches.values()):
        yield (
            "[low, high]: 95 % confidence limits for other stretches of time of the same recordings;"
            f" {recordings}: too few to tell for other recordings"
        )
    elif count < FEWEST:
        yield f"{recordings}: too few for confidence limits"
    if scores.higher:
        yield f"more is better: {', '.join(sorted(scores.higher))}"


def _pairing(comparison: Comparison) -> Iterator[str]:
    if any(one.known for row in comparison.differences.values() for one in row.values()):
        one = "recording" if comparison.over == "recordings" else "stretch of time"
        yield (
            f"differences are paired, {one} by {one}; where runs are alike, 1 of 20 such limits leaves"
            " zero out by chance"
        )


def _aligned(rows: Sequence[Row]) -> str:
    """Align columns; on a narrow page those that have no room follow below, with the first column again."""
    widths = [max(len(row[column]) for row in rows) for column in range(len(rows[0]))]
    pages = [
        "\n".join(_line(row, widths, columns, head=row is rows[0]) for row in rows)
        for columns in _fitting(widths, page_width() or math.inf)
    ]
    return "\n\n".join(pages)


def _fitting(widths: Sequence[int], room: float) -> Iterator[list[int]]:
    columns, used = [0], widths[0]
    for column in range(1, len(widths)):
        if len(columns) > 1 and used + len(GAP) + widths[column] > room:
            yield columns
            columns, used = [0], widths[0]
        columns.append(column)
        used += len(GAP) + widths[column]
    yield columns


def _line(row: Row, widths: Sequence[int], columns: Sequence[int], *, head: bool) -> str:
    first, *rest = columns
    cells = [row[first].ljust(widths[first]), *(row[column].rjust(widths[column]) for column in rest)]
    text = GAP.join(cells).rstrip()
    return bold(text) if head else text
