"""`fxkit check`: validate an experiment file without loading torch."""

from __future__ import annotations

import json
from typing import TYPE_CHECKING, Any

import attrs
import click

if TYPE_CHECKING:
    from collections.abc import Sequence

    from fxkit.catalog import Catalog
    from fxkit.errors import ExperimentError, Problem
    from fxkit.experiment.model import Experiment

EPILOG = """\b
Examples:
  fxkit check quickstart
  fxkit check pedal.toml
  fxkit check pedal.toml --set nodes.amp.hidden=16 --set train.keep=last
  fxkit check pedal.toml --strict
  fxkit check pedal.toml --json
"""


@click.command("check", epilog=EPILOG)
@click.argument("experiment")
@click.option("--set", "settings", multiple=True, metavar="PATH=VALUE", help="Change one value of the file.")
@click.option("--allow-local", is_flag=True, help="Allow code named in [plugins.local].")
@click.option("--no-plugins", is_flag=True, help="Use fxkit's own plugins only.")
@click.option("--strict", is_flag=True, help="Take warnings for errors.")
@click.option("--json", "as_json", is_flag=True, help="Print the result as JSON on stdout.")
def command(
    experiment: str,
    settings: tuple[str, ...],
    allow_local: bool,
    no_plugins: bool,
    strict: bool,
    as_json: bool,
) -> None:
    """Check EXPERIMENT, a TOML file or the name of a shipped one, and report everything wrong in it.

    Each problem is shown with file, line, column and path. Exit code 2 when there is any. Warnings follow,
    of what could run and is probably not meant; they count with --strict alone.
    """
    from fxkit.catalog import Catalog
    from fxkit.errors import ExperimentError

    catalog = Catalog.installed(in_tree_only=no_plugins)
    try:
        read, warnings = _checked(experiment, settings, catalog, allow_local)
        if strict and warnings:
            raise ExperimentError(warnings)
    except ExperimentError as error:
        if as_json:
            click.echo(json.dumps(_failure(error), allow_nan=False, indent=2))
        else:
            tell([str(error)], error.warnings)
        raise click.exceptions.Exit(error.exit_code) from error
    if as_json:
        told = {**_success(read), "warnings": [attrs.asdict(warning) for warning in warnings]}
        click.echo(json.dumps(told, allow_nan=False, indent=2))
        return
    click.echo(_summary(read))
    tell([], warnings)


def _checked(
    experiment: str, settings: tuple[str, ...], catalog: Catalog, allow_local: bool
) -> tuple[Experiment, tuple[Problem, ...]]:
    """Read an experiment; return it with all warnings there are, those about this machine too."""
    from fxkit.errors import ExperimentError, in_order
    from fxkit.experiment.reader import locate, read_experiment
    from fxkit.experiment.unmet import absent, unmet
    from fxkit.schema.directive import schema_warning

    read = read_experiment(experiment, overrides=settings, catalog=catalog, allow_local=allow_local)
    stale = schema_warning(locate(experiment), catalog)
    warnings = in_order([*read.warnings, *absent(read), *([stale] if stale else [])])
    problems = unmet(read)
    if problems:
        raise ExperimentError(problems, warnings)
    return read, warnings


def tell(errors: Sequence[str], warnings: Sequence[Problem]) -> None:
    """Show on stderr what is wrong, then what is only worth knowing."""
    for line in (*errors, *(f"warning: {warning}" for warning in warnings)):
        click.echo(line, err=True)


def _failure(error: ExperimentError) -> dict[str, Any]:
    told = {"problems": error.problems, "warnings": error.warnings}
    return {"ok": False, **{name: [attrs.asdict(one) for one in found] for name, found in told.items()}}


def _success(read: Experiment) -> dict[str, Any]:
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
    }


def _summary(read: Experiment) -> str:
    """Write the lines for an experiment without problems."""
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
    return "\n".join([f"{read.file}: ok  {parts}", *lines])


def _counted(number: int, noun: str) -> str:
    plural = f"{noun}es" if noun.endswith("s") else f"{noun}s"
    return f"{number} {noun if number == 1 else plural}"
