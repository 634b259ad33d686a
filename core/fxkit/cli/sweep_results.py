"""Write what came of a sweep as tables."""

from __future__ import annotations

from collections.abc import Iterator
from typing import TYPE_CHECKING

from fxkit.cli.output import page_width, table
from fxkit.sweeping.axes import short_paths, written

if TYPE_CHECKING:
    from fxkit.sweeping.folder import SweepFolder
    from fxkit.sweeping.summary import Row, Summary

# Test figures beside the one that chooses.
_MOST = 3


def sweep_table(summary: Summary, folder: SweepFolder) -> str:
    """Write the trials with the best first, means over seeds, and where things are."""
    return "\n".join([_trials(summary), *_groups(summary), "", *_lines(summary, folder)])


def _trials(summary: Summary) -> str:
    short = short_paths(list(dict.fromkeys(path for row in summary.rows for path in row.parameters)))
    tested = list(dict.fromkeys(name for row in summary.rows for name in row.test))
    tested = sorted(tested, key=lambda name: name != summary.metric)[:_MOST]
    headers = ["TRIAL", *short.values(), f"val {summary.metric}", *(f"test {name}" for name in tested)]
    rows = [
        [
            str(row.trial),
            *(row.parameters.get(path, "") for path in short),
            _figure(row.value),
            *(_figure(row.test.get(name)) for name in tested),
            _minutes(row),
            _state(row),
        ]
        for row in summary.rows
    ]
    return table([*headers, "MINUTES", "STATE"], rows, page_width())


def _groups(summary: Summary) -> Iterator[str]:
    if not summary.groups:
        return
    rows = [
        [
            written(group.parameters) or "all",
            str(len(group.trials)),
            _figure(group.mean),
            _figure(group.deviation),
            f"{group.low:.5g} to {group.high:.5g}",
        ]
        for group in summary.groups
    ]
    yield ""
    yield table(
        ["OVER SEEDS", "TRIALS", f"MEAN val {summary.metric}", "DEVIATION", "FROM"], rows, page_width()
    )


def _lines(summary: Summary, folder: SweepFolder) -> Iterator[str]:
    counts = [f"{count} {state}" for state in _STATES if (count := summary.count(state))]
    better = "more" if summary.higher_is_better else "less"
    yield f"{', '.join(counts)}; {better} of {summary.metric} is better"
    if summary.best is not None:
        yield f"best: trial {summary.best.trial}  {written(summary.best.parameters)}"
        yield f"again: fxkit run {folder.best}"
    yield f"sweep folder: {folder.path}"


_STATES = ("complete", "pruned", "running", "waiting", "failed")


def _figure(value: float | None) -> str:
    return "-" if value is None else f"{value:.5g}"


def _minutes(row: Row) -> str:
    return "-" if row.seconds is None else f"{row.seconds / 60:.1f}"


def _state(row: Row) -> str:
    again = f", {row.retries + 1} attempts" if row.retries else ""
    reason = f": {row.error.splitlines()[0]}" if row.error else ""
    return f"{row.state}{again}{reason}"
