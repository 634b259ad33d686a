"""`fxkit init`: write a new experiment file from a template."""

from __future__ import annotations

import sys
from collections.abc import Sequence
from pathlib import Path
from typing import TYPE_CHECKING, Any

import click

from fxkit.cli.output import page_width, table, write_json

if TYPE_CHECKING:
    from fxkit.catalog import Catalog
    from fxkit.templates.material import Material
    from fxkit.templates.template import Template

EPILOG = """\b
Examples:
  fxkit init                                  (asks)
  fxkit init --list
  fxkit init amp --template amp-lstm --data my/amp
  fxkit init pedal --template overdrive-graybox --data my/pedal --set train.steps=2000
  fxkit init - --template harmonic-synth --data my/flute | less
  fxkit init amp --template amp-wavenet --data nam --arrange nam-pairs
"""


@click.command("init", epilog=EPILOG)
@click.argument("name", metavar="[NAME_OR_FILE]", required=False)
@click.option("--template", "-t", metavar="NAME", help="Shipped experiment to start from; see --list.")
@click.option("--data", "-d", type=click.Path(path_type=Path), metavar="FOLDER", help="Folder of recordings.")
@click.option("--set", "settings", multiple=True, metavar="PATH=VALUE", help="Change one value.")
@click.option(
    "--arrange",
    type=click.Path(path_type=Path),
    metavar="NEW_FOLDER",
    help="Where to lay links to recordings whose folder has another layout.",
)
@click.option("--stdout", is_flag=True, help="Print the file instead; as NAME does when it is -.")
@click.option("--force", is_flag=True, help="Write over a file that is there.")
@click.option("--list", "listed", is_flag=True, help="List the templates.")
@click.option("--json", "as_json", is_flag=True, help="Print the list, or what was written, as JSON.")
def command(
    name: str | None,
    template: str | None,
    data: Path | None,
    settings: tuple[str, ...],
    arrange: Path | None,
    stdout: bool,
    force: bool,
    listed: bool,
    as_json: bool,
) -> None:
    """Write NAME_OR_FILE, a new experiment, from a template and a folder of recordings.

    What is missing is asked for on a terminal, and an error elsewhere. The folder's file headers
    are read: rate, channels, duration, layout, knobs. Nothing is ever written into it.
    """
    from fxkit.catalog import Catalog
    from fxkit.cli.wizard import Answers, completed

    if listed:
        _list(as_json)
        return
    given = Answers(
        name="-" if stdout and name is None else name,
        template=template,
        data=data,
        arrange=arrange,
        settings=settings,
        asking=sys.stdin.isatty() and sys.stderr.isatty(),
    )
    catalog = Catalog.installed()
    answers, material = completed(given, catalog)
    _write(answers, material, catalog, stdout=stdout or answers.name == "-", force=force, as_json=as_json)


def _write(
    answers: Any, material: Material | None, catalog: Catalog, *, stdout: bool, force: bool, as_json: bool
) -> None:
    from fxkit.experiment.shipped import shown
    from fxkit.files import write_text
    from fxkit.templates.new import Request, new_experiment
    from fxkit.templates.template import template_named, templates

    template = template_named(answers.template, templates())
    file = _file(answers.name, template)
    if not stdout:
        _refuse_overwriting(file, force)
    name = file.stem if answers.name != "-" else template.name
    request = Request(template=template, file=file, name=name, material=material, settings=answers.settings)
    text = new_experiment(request, catalog)
    if stdout:
        click.echo(text, nl=False)
        return
    write_text(file, text)
    if as_json:
        write_json({"file": str(file), "template": template.name})
    else:
        click.echo(f"wrote {shown(file)}")
        click.echo(f"next: fxkit run {shown(file)}", err=True)


def _file(name: str, template: Template) -> Path:
    if name == "-":
        return Path(f"{template.name}.toml")
    return Path(name if name.endswith(".toml") else f"{name}.toml")


def _refuse_overwriting(file: Path, force: bool) -> None:
    from fxkit.experiment.shipped import shown
    from fxkit.templates.template import TemplateError

    if file.is_dir():
        raise TemplateError(f"{shown(file)}: is a folder; give the new file another name")
    if file.exists() and not force:
        raise TemplateError(
            f"{shown(file)}: is there already; give another name, or --force to write over it"
        )


def _list(as_json: bool) -> None:
    from fxkit.templates.template import templates

    found = templates()
    if as_json:
        keys = ("name", "summary", "device", "dataset", "cost")
        write_json({"templates": [{key: getattr(one, key) for key in keys} for one in found]})
        return
    rows: Sequence[Sequence[str]] = [(one.name, one.device, one.cost, one.summary) for one in found]
    click.echo(table(("TEMPLATE", "FOR", "COST", "WHAT IT DOES"), rows, page_width()))
    click.echo("\nMinutes are of training on a CPU with little more than a minute of recordings.")
