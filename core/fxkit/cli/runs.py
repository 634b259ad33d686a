"""`fxkit runs`: list, filter, sort and compare runs."""

from __future__ import annotations

from pathlib import Path
from typing import TYPE_CHECKING, Any

import click

if TYPE_CHECKING:
    from fxkit.runs.listing import RunRow

EPILOG = """\b
Examples:
  fxkit runs
  fxkit runs runs/pedal-sweep --sort esr
  fxkit runs --filter "metrics.esr<0.01" --filter "name=amp*" --filter state=finished
  fxkit runs --sort esr --columns name,esr,val.loss,train.optimizer.lr
  fxkit runs --compare runs/first runs/second

\b
Keys: name, state, reason, steps, minutes, weights, when, sweep, path; METRIC, test.METRIC
(or metrics.METRIC) and val.METRIC; and any setting, as nodes.amp.hidden.
"""
_MOST = 3


@click.command("runs", epilog=EPILOG)
@click.argument("folder", type=click.Path(path_type=Path), default=Path("runs"))
@click.option(
    "--filter",
    "conditions",
    multiple=True,
    metavar="CONDITION",
    help="Show runs of which this holds: KEY=TEXT (with * and ?), !=, <, <=, >, >=. Several must all hold.",
)
@click.option(
    "--sort", "key", metavar="KEY", help="Order by this, the best metric first; by when by default."
)
@click.option("--reverse", is_flag=True, help="Turn the order round.")
@click.option("--columns", metavar="KEY,KEY", help="What to show of each run.")
@click.option(
    "--compare",
    nargs=2,
    type=click.Path(path_type=Path),
    metavar="A B",
    help="Show in what two runs differ: settings and figures.",
)
@click.option("--json", "as_json", is_flag=True, help="Write JSON instead of tables.")
def command(
    folder: Path,
    conditions: tuple[str, ...],
    key: str | None,
    reverse: bool,
    columns: str | None,
    compare: tuple[Path, Path] | None,
    as_json: bool,
) -> None:
    """List the runs below FOLDER, "runs" by default, sweeps and their trials too."""
    from fxkit.cli.output import write_json

    if compare:
        _compare(compare, as_json)
        return
    shown = [one.strip() for one in columns.split(",")] if columns else []
    rows = _chosen(folder, conditions, key, reverse, shown)
    if as_json:
        write_json({"folder": str(folder), "runs": [row.document() for row in rows]})
        return
    click.echo(_table(rows, folder, shown))


def _chosen(
    folder: Path, conditions: tuple[str, ...], key: str | None, reverse: bool, columns: list[str]
) -> list[RunRow]:
    from fxkit.errors import RunError
    from fxkit.runs.listing import find_runs, read_run
    from fxkit.runs.query import ordered, read_condition, refuse_unknown

    if not folder.is_dir():
        raise RunError(f"{folder}: no such folder; name the one that the runs are in")
    wanted = [read_condition(text) for text in conditions]
    rows = [read_run(path) for path in find_runs(folder)]
    refuse_unknown([*(one.key for one in wanted), *([key] if key else []), *columns], rows)
    chosen = [row for row in rows if all(one.holds(row) for one in wanted)]
    return ordered(chosen, key or "when", reverse if key else not reverse)


def _table(rows: list[RunRow], folder: Path, columns: list[str]) -> str:
    from fxkit.cli.output import page_width, table

    if not rows:
        return f"no runs in {folder}"
    keys = columns or _columns(rows)
    cells = [[_short(row, folder), *(_cell(row, key) for key in keys)] for row in rows]
    counts: dict[str, int] = {}
    for row in rows:
        counts[row.state] = counts.get(row.state, 0) + 1
    headers = ["RUN", *(_header(key) for key in keys)]
    told = ", ".join(f"{count} {state}" for state, count in counts.items())
    return f"{table(headers, cells, page_width())}\n\n{told}"


def _columns(rows: list[RunRow]) -> list[str]:
    """Return what tells most of these runs: what a sweep varied, figures that most have, and the state."""
    varied = list(dict.fromkeys(path for row in rows for path in row.parameters))
    tested: dict[str, int] = {}
    for row in rows:
        for name in row.test:
            tested[name] = tested.get(name, 0) + 1
    common = sorted(tested, key=lambda name: (-tested[name], name == "loss"))[:_MOST]
    return [
        *varied,
        *(f"test.{name}" for name in common),
        "val.loss",
        "steps",
        "minutes",
        "weights",
        "when",
        "state",
    ]


def _header(key: str) -> str:
    return key.replace("test.", "test ").replace("val.", "val ") if key.startswith(("test.", "val.")) else key


def _cell(row: RunRow, key: str) -> str:
    from fxkit.runs.query import shown, value_of

    value: Any = value_of(row, key)
    if key == "minutes" and value is not None:
        return f"{value:.1f}"
    if key == "state" and row.reason:
        return f"{row.state}: {row.reason.splitlines()[0]}"
    return shown(value)


def _short(row: RunRow, folder: Path) -> str:
    return str(row.path.relative_to(folder)) if row.path != folder else str(row.path)


def _compare(paths: tuple[Path, Path], as_json: bool) -> None:
    from fxkit.cli.output import write_json

    first, second = (_opened(path) for path in paths)
    figures, settings = _figures(first, second), _differences(first, second)
    if as_json:
        names = ("runs", "figures", "settings")
        write_json(dict(zip(names, ([str(path) for path in paths], figures, settings), strict=True)))
        return
    click.echo(_comparison(paths, figures, settings))


def _opened(path: Path) -> RunRow:
    from fxkit.runs.folder import open_folder
    from fxkit.runs.listing import read_run

    return read_run(open_folder(path).path)


def _figures(first: RunRow, second: RunRow) -> dict[str, list[Any]]:
    keys = [
        *("state", "steps", "minutes", "weights"),
        *(f"test.{name}" for name in dict.fromkeys((*first.test, *second.test))),
        *(f"val.{name}" for name in dict.fromkeys((*first.val, *second.val))),
    ]
    from fxkit.runs.query import value_of

    return {key: [value_of(first, key), value_of(second, key)] for key in keys}


def _differences(first: RunRow, second: RunRow) -> dict[str, list[Any]]:
    from fxkit.runs.listing import settings_of

    ours, theirs = settings_of(first.path), settings_of(second.path)
    paths = dict.fromkeys((*ours, *theirs))
    return {path: [ours.get(path), theirs.get(path)] for path in paths if ours.get(path) != theirs.get(path)}


def _comparison(
    paths: tuple[Path, Path], figures: dict[str, list[Any]], settings: dict[str, list[Any]]
) -> str:
    from fxkit.cli.output import page_width, table
    from fxkit.runs.query import shown

    names = [str(path) for path in paths]

    def rows(values: dict[str, list[Any]]) -> list[list[str]]:
        return [[_header(key), *(shown(value) for value in pair)] for key, pair in values.items()]

    differing = rows(settings)
    told = table(["SETTING", *names], differing, page_width()) if differing else "no setting differs"
    return f"{table(['FIGURE', *names], rows(figures), page_width())}\n\n{told}"
