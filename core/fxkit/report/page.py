"""The page as the template fills it: every section's material, empty where there is none."""

from __future__ import annotations

import shlex
from collections.abc import Mapping, Sequence
from typing import Any

import attrs
from markupsafe import Markup

from fxkit.report.chart import Chart
from fxkit.report.contents import Contents, RunContents
from fxkit.report.drawing import model_svg
from fxkit.report.facts import Fact, facts, run_names, title
from fxkit.report.figures import Difference, Figure, differences, figures, number
from fxkit.report.journal import (
    HookRow,
    failures,
    figure_charts,
    hook_rows,
    parameter_charts,
    single_figures,
)
from fxkit.report.listening import Excerpt, excerpts
from fxkit.report.parameters import Setting, settings, track_charts
from fxkit.report.responses import curve_charts, response_charts
from fxkit.report.training import loss_charts, share_charts
from fxkit.report.verdict import Verdict, comparison_line, verdicts


@attrs.frozen(kw_only=True)
class Table:
    """Hold a table of text with numbers to sort by: `rows` of a name and cells (text, value)."""

    columns: tuple[str, ...]
    rows: tuple[tuple[str, tuple[tuple[str, float | None], ...]], ...]


@attrs.frozen(kw_only=True)
class RunPage:
    """Hold what stands once for each run."""

    name: str
    picture: Markup | None
    settings: tuple[Setting, ...]
    tracks: tuple[Chart, ...]
    courses: tuple[Chart, ...]
    shares: tuple[Chart, ...]
    others: tuple[Chart, ...]
    singles: tuple[tuple[str, str], ...]
    hooks: tuple[HookRow, ...]
    failures: tuple[str, ...]
    sets: tuple[tuple[str, str], ...]
    remarks: tuple[str, ...]
    unmeasured: str
    command: str
    resolved: str
    lock: str

    @property
    def described(self) -> bool:
        """Tell whether anything is known of the model."""
        return bool(self.picture or self.settings or self.tracks or self.courses)

    @property
    def repeatable(self) -> bool:
        """Tell whether it is known how the run was made."""
        return bool(self.resolved or self.lock)


@attrs.frozen(kw_only=True)
class Page:
    """Hold everything that the template shows."""

    title: str
    names: tuple[str, ...]
    split: str
    facts: tuple[Fact, ...]
    verdicts: tuple[Verdict, ...]
    comparison: str
    notes: tuple[str, ...]
    figures: tuple[Figure, ...]
    differences: tuple[Difference, ...]
    recordings: Table
    excerpts: tuple[Excerpt, ...]
    responses: tuple[Chart, ...]
    curves: tuple[Chart, ...]
    losses: tuple[Chart, ...]
    runs: tuple[RunPage, ...]


def page_of(contents: Contents) -> Page:
    """Make everything that the page shows."""
    names = run_names(contents)
    return Page(
        title=title(contents, names),
        names=names,
        split=contents.runs[0].scores.split,
        facts=facts(contents),
        verdicts=verdicts(contents),
        comparison=comparison_line(contents, names),
        notes=contents.comparison.notes if contents.comparison else (),
        figures=figures(contents, names),
        differences=differences(contents, names),
        recordings=_recordings(contents, names),
        excerpts=excerpts(contents, names),
        responses=response_charts(contents, names),
        curves=curve_charts(contents, names),
        losses=loss_charts(contents, names),
        runs=tuple(_run(run, name) for run, name in zip(contents.runs, names, strict=True)),
    )


def _run(run: RunContents, name: str) -> RunPage:
    return RunPage(
        name=name,
        picture=None if run.card is None else model_svg(run.card),
        settings=settings(run),
        tracks=track_charts(run),
        courses=parameter_charts(run),
        shares=share_charts(run),
        others=figure_charts(run),
        singles=single_figures(run),
        hooks=hook_rows(run),
        failures=failures(run),
        sets=tuple(_leaves(run.scores.sets)),
        remarks=run.response.notes if run.response else (),
        unmeasured=run.unmeasured,
        command=_command(run),
        resolved=run.resolved_text,
        lock=run.lock_text,
    )


def _command(run: RunContents) -> str:
    return f"fxkit run {shlex.quote(str(run.folder.resolved))}" if run.resolved_text else ""


def _leaves(values: Mapping[str, Any], path: str = "") -> list[tuple[str, str]]:
    """Return the plain values of nested tables with their paths."""
    found: list[tuple[str, str]] = []
    for name, value in values.items():
        if isinstance(value, Mapping):
            found += _leaves(value, f"{path}{name}: ")
        else:
            found.append((f"{path}{name}", number(value) if isinstance(value, float) else str(value)))
    return found


def _recordings(contents: Contents, names: Sequence[str]) -> Table:
    several = len(contents.runs) > 1
    metrics = [name for name in contents.runs[0].scores.metrics if name != "loss"]
    places = [(run, metric) for metric in metrics for run in range(len(contents.runs))]
    columns = tuple(f"{metric}, {names[run]}" if several else metric for run, metric in places)
    rows = tuple(
        (name, tuple(_cell(contents.runs[run], name, metric) for run, metric in places))
        for name in contents.runs[0].scores.recordings
    )
    return Table(columns=columns, rows=rows)


def _cell(run: RunContents, recording: str, metric: str) -> tuple[str, float | None]:
    value = run.scores.recordings.get(recording, {}).get(metric)
    return number(value), value
