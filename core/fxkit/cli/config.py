"""`fxkit config`: look at experiment files: fill in defaults, compare two, show where values come from."""

from __future__ import annotations

from collections.abc import Sequence
from pathlib import Path
from typing import TYPE_CHECKING, Any

import click

if TYPE_CHECKING:
    from fxkit.config.difference import Change
    from fxkit.config.entries import Entry
    from fxkit.config.remarks import Comments
    from fxkit.config.subject import Subject

EPILOG = """\b
Examples:
  fxkit config show amp-tcn nodes.amp --origins
  fxkit config diff amp-lstm amp-tcn
  fxkit config fill pedal.toml --out pedal-full.toml
"""
SHOW_EPILOG = """\b
Examples:
  fxkit config show amp-tcn
  fxkit config show amp-tcn nodes.amp train.optimizer --origins
  fxkit config show amp-tcn --set nodes.amp.preset=250-l nodes --origins
  fxkit config show amp-tcn --json
"""
DIFF_EPILOG = """\b
Examples:
  fxkit config diff amp-lstm amp-tcn
  fxkit config diff runs/first runs/second
  fxkit config diff pedal.toml runs/pedal --json

\b
Exit codes: 0 the same, 1 different, 2 one of them is wrong.
"""
FILL_EPILOG = """\b
Examples:
  fxkit config fill pedal.toml
  fxkit config fill pedal.toml --in-place --comments above
  fxkit config fill pedal.toml --flat --out pedal-whole.toml
"""


@click.group("config", epilog=EPILOG)
def command() -> None:
    """Look at experiment files and work on them, without torch."""


_plugin_options = (
    click.option("--allow-local", is_flag=True, help="Allow code named in [plugins.local]."),
    click.option("--no-plugins", is_flag=True, help="Use fxkit's own plugins only."),
)


def _with_plugins(function: Any) -> Any:
    for option in reversed(_plugin_options):
        function = option(function)
    return function


def _read(source: str, allow_local: bool, no_plugins: bool, settings: tuple[str, ...] = ()) -> Subject:
    from fxkit.catalog import Catalog
    from fxkit.config.subject import read_subject

    catalog = Catalog.installed(in_tree_only=no_plugins)
    return read_subject(source, settings=settings, catalog=catalog, allow_local=allow_local)


@command.command("show", short_help="Show every value, and where it came from.", epilog=SHOW_EPILOG)
@click.argument("experiment")
@click.argument("paths", nargs=-1, metavar="[PATH]...")
@click.option("--origins", is_flag=True, help="Say of each value where it came from.")
@click.option("--set", "settings", multiple=True, metavar="PATH=VALUE", help="Change one value of the file.")
@_with_plugins
@click.option("--json", "as_json", is_flag=True, help="Write JSON.")
def show(
    experiment: str,
    paths: tuple[str, ...],
    origins: bool,
    settings: tuple[str, ...],
    allow_local: bool,
    no_plugins: bool,
    as_json: bool,
) -> None:
    """Show every value of EXPERIMENT, a file, a shipped name or a run folder; or those at each PATH.

    Parents, presets and --set are laid over each other, and defaults are written out.
    """
    from fxkit.config.entries import entries
    from fxkit.config.selection import select

    subject = _read(experiment, allow_local, no_plugins, settings)
    chosen = select(list(entries(subject)), paths, subject.experiment.file)
    if as_json:
        from fxkit.cli.output import write_json

        write_json({"file": subject.experiment.file, "values": [_record(entry) for entry in chosen]})
        return
    click.echo(_with_origins(chosen) if origins else "\n".join(map(_assignment, chosen)))


def _record(entry: Entry) -> dict[str, Any]:
    return {"path": entry.name, "value": entry.value, "default": entry.is_default, "from": entry.source}


def _assignment(entry: Entry) -> str:
    from fxkit.config.writing import toml_value

    return f"{entry.name} = {toml_value(entry.value)}"


def _with_origins(chosen: Sequence[Entry]) -> str:
    from fxkit.cli.output import page_width, table
    from fxkit.config.writing import toml_value

    rows = [(entry.name, _short(toml_value(entry.value)), entry.source) for entry in chosen]
    return table(("PATH", "VALUE", "FROM"), rows, page_width())


def _short(text: str) -> str:
    return text if len(text) <= 48 else f"{text[:45]}..."


@command.command("diff", short_help="Show what two experiments differ in.", epilog=DIFF_EPILOG)
@click.argument("one")
@click.argument("other")
@_with_plugins
@click.option("--json", "as_json", is_flag=True, help="Write JSON.")
def diff(one: str, other: str, allow_local: bool, no_plugins: bool, as_json: bool) -> None:
    """Show what ONE and OTHER differ in: files, shipped names or run folders, in any combination.

    Layout, comments, the order of keys and whether a default is written out do not count; the order of
    callbacks and transforms does. Exit code 0 when they are the same, 1 when they differ.
    """
    from fxkit.config.difference import differences

    changes = differences(_read(one, allow_local, no_plugins), _read(other, allow_local, no_plugins))
    if as_json:
        from fxkit.cli.output import write_json

        write_json({"same": not changes, "changes": [_change_record(change) for change in changes]})
    elif changes:
        # The colours are decided already.
        click.echo("\n".join(_change_lines(changes)), color=True)
    raise click.exceptions.Exit(1 if changes else 0)


def _change_record(change: Change) -> dict[str, Any]:
    sides = {
        "old": change.old,
        "new": change.new,
        "old_from": change.old_source,
        "new_from": change.new_source,
    }
    return {"path": change.path, "kind": change.kind, **sides}


def _change_lines(changes: Sequence[Change]) -> list[str]:
    from fxkit.cli.output import coloured
    from fxkit.config.writing import toml_value

    lines = []
    for change in changes:
        old = coloured(toml_value(change.old), "red") if change.old is not None else ""
        new = coloured(toml_value(change.new), "green") if change.new is not None else ""
        sides = " -> ".join(filter(None, (old, new)))
        sources = " -> ".join(filter(None, (change.old_source, change.new_source)))
        sign = {"added": "+", "removed": "-", "changed": "~"}[change.kind]
        lines.append(f"{sign} {change.path}: {sides}  {coloured(f'({sources})', 'dim')}")
    return lines


@command.command("fill", short_help="Write every default into a file.", epilog=FILL_EPILOG)
@click.argument("experiment")
@click.option("--out", type=click.Path(path_type=Path), help="Write to this new file rather than to stdout.")
@click.option("--in-place", is_flag=True, help="Replace the file; done at once or not at all.")
@click.option("--flat", is_flag=True, help="Write what parents say into the file, too; it then extends none.")
@click.option(
    "--comments",
    type=click.Choice(["trailing", "above", "none"]),
    default="trailing",
    show_default=True,
    help="Where the help of each default goes.",
)
@_with_plugins
def fill(
    experiment: str,
    out: Path | None,
    in_place: bool,
    flat: bool,
    comments: Comments,
    allow_local: bool,
    no_plugins: bool,
) -> None:
    """Write every default of EXPERIMENT, a file or a shipped name, into its text.

    What stands in the file stays as it is, comments and order too, and what comes from parents stays with
    them. Options without a default are listed as comments. On stdout, relative paths are those of the file.
    """
    from fxkit.config.fill import fill as filled
    from fxkit.config.flatten import flatten
    from fxkit.files import write_text

    if out and in_place:
        raise click.UsageError("--out and --in-place cannot both be; choose one")
    subject = _read(experiment, allow_local, no_plugins)
    target = _target(subject, out, in_place)
    make = flatten if flat else filled
    text = make(subject, comments, target.parent if target else None)
    if target is None:
        click.echo(text, nl=False)
        return
    try:
        write_text(target, text)
    except OSError as error:
        reason = error.strerror or str(error)
        raise click.ClickException(f"{target}: cannot be written ({reason}); use --out FILE") from error
    click.echo(str(target))


def _target(subject: Subject, out: Path | None, in_place: bool) -> Path | None:
    if in_place and subject.ships:
        raise click.UsageError(f"{subject.path} ships with fxkit and stays as it is; use --out FILE")
    if in_place and subject.is_record:
        raise click.UsageError(f"{subject.path} is the record of a run and stays as it is; use --out FILE")
    if out and out.exists():
        raise click.UsageError(f"{out} exists already; choose another --out, or fill it --in-place")
    # Behind a link stands the file that is meant.
    return subject.path.resolve() if in_place else out
