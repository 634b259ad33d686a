"""Write figures as a table: the model beside its baselines, a column per metric."""

from __future__ import annotations

from collections.abc import Mapping
from typing import TYPE_CHECKING

if TYPE_CHECKING:
    from fxkit.job import RunResult


def score_table(model: Mapping[str, float], baselines: Mapping[str, Mapping[str, float]]) -> str:
    """Align the model's metrics and the baselines' in columns; "-" where there is no figure."""
    names = [name for name in model if name != "loss"]
    rows = [["", *names], ["model", *(f"{model[name]:.5g}" for name in names)]]
    for baseline, figures in baselines.items():
        rows.append([_LABELS.get(baseline, baseline), *(_figure(figures.get(name)) for name in names)])
    widths = [max(len(row[column]) for row in rows) for column in range(len(rows[0]))]
    return "\n".join(_line(row, widths) for row in rows)


_LABELS = {"input": "input unchanged", "gain": "best single gain"}


def _figure(value: float | None) -> str:
    return "-" if value is None else f"{value:.5g}"


def _line(row: list[str], widths: list[int]) -> str:
    first = row[0].ljust(widths[0])
    rest = (cell.rjust(width) for cell, width in zip(row[1:], widths[1:], strict=True))
    return "  ".join((first, *rest)).rstrip()


def result_table(result: RunResult) -> str:
    """Write a run's result for people."""
    kept = f"weights of step {result.best}" if result.best is not None else "last weights"
    stopped = f", stopped: {result.stopped}" if result.stopped else ""
    head = f"{result.steps} steps in {result.seconds:.0f} s{stopped}; {kept}; {result.weights} weights"
    table = score_table(result.test, result.baselines) if result.test else "no test recordings"
    return f"{table}\n{head}\nrun folder: {result.run}"
