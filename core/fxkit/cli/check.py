"""`fxkit check`: validate an experiment file without loading torch."""

from __future__ import annotations

import json
from typing import TYPE_CHECKING, Any

import attrs
import click

if TYPE_CHECKING:
    from fxkit.errors import ExperimentError
    from fxkit.experiment.model import Experiment

EPILOG = """\b
Examples:
  fxkit check quickstart
  fxkit check pedal.toml
  fxkit check pedal.toml --set nodes.amp.hidden=16 --set train.keep=last
  fxkit check pedal.toml --json
"""


@click.command("check", epilog=EPILOG)
@click.argument("experiment")
@click.option("--set", "settings", multiple=True, metavar="PATH=VALUE", help="Change one value of the file.")
@click.option("--allow-local", is_flag=True, help="Allow code named in [plugins.local].")
@click.option("--no-plugins", is_flag=True, help="Use fxkit's own plugins only.")
@click.option("--json", "as_json", is_flag=True, help="Print the result as JSON on stdout.")
def command(
    experiment: str, settings: tuple[str, ...], allow_local: bool, no_plugins: bool, as_json: bool
) -> None:
    """Check EXPERIMENT, a TOML file or the name of a shipped one, and report everything wrong in it.

    Each problem is shown with file, line, column and path. Exit code 2 when there is any. A schema that
    the file names by #:schema and that is not of the installed plugins is a warning.
    """
    from fxkit.catalog import Catalog
    from fxkit.errors import ExperimentError
    from fxkit.experiment.reader import locate, read_experiment
    from fxkit.experiment.unmet import require
    from fxkit.schema.directive import schema_warning

    catalog = Catalog.installed(in_tree_only=no_plugins)
    try:
        read = read_experiment(experiment, overrides=settings, catalog=catalog, allow_local=allow_local)
        require(read)
    except ExperimentError as error:
        if not as_json:
            raise
        click.echo(json.dumps(_failure(error), allow_nan=False, indent=2))
        raise click.exceptions.Exit(error.exit_code) from error
    warning = schema_warning(locate(experiment), catalog)
    if as_json:
        told = {**_success(read), "warnings": [warning] if warning else []}
        click.echo(json.dumps(told, allow_nan=False, indent=2))
        return
    click.echo(_summary(read))
    if warning:
        click.echo(f"warning: {warning}", err=True)


def _failure(error: ExperimentError) -> dict[str, Any]:
    return {"ok": False, "problems": [attrs.asdict(problem) for problem in error.problems]}


def _success(read: Experiment) -> dict[str, Any]:
    from fxkit.experiment.loss_checks import notes
    from fxkit.experiment.resolved import config_digest

    return {
        "ok": True,
        "file": read.file,
        "digest": config_digest(read.resolved),
        "plugins": [
            {"path": part.path, "kind": part.kind, "plugin": part.plugin, "version": part.version}
            for part in read.parts()
        ],
        "problems": [],
        "notes": list(notes(read)),
    }


def _summary(read: Experiment) -> str:
    """Write the lines for an experiment without problems."""
    from fxkit.experiment.loss_checks import notes

    counts = {
        "node": len(read.nodes),
        "controller": sum(part.kind == "controllers" for part in read.parts()),
        "feature": len(read.features),
        "loss": len(read.losses),
        "metric": len(read.metrics),
        "transform": len(read.transforms),
        "callback": len(read.callbacks),
    }
    parts = ", ".join(_counted(number, noun) for noun, number in counts.items() if number)
    used: dict[str, list[str]] = {}
    for part in read.parts():
        dist, _, name = part.plugin.rpartition("/")
        names = used.setdefault(f"{dist} {part.version}".rstrip(), [])
        if name not in names:
            names.append(name)
    lines = [f"{dist}: {', '.join(names)}" for dist, names in sorted(used.items())]
    return "\n".join([f"{read.file}: ok  {parts}", *lines, *(f"note: {note}" for note in notes(read))])


def _counted(number: int, noun: str) -> str:
    plural = f"{noun}es" if noun.endswith("s") else f"{noun}s"
    return f"{number} {noun if number == 1 else plural}"
