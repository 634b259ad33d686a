"""`fxkit schema`: write the JSON Schema of experiment files, for editors and other programs."""

from __future__ import annotations

from pathlib import Path

import click

EPILOG = """\b
Examples:
  fxkit schema > fxkit.schema.json
  fxkit schema --out experiments/fxkit.schema.json

Then the first line of an experiment file names it, relative to that file:
  #:schema ./fxkit.schema.json
"""


@click.command("schema", epilog=EPILOG)
@click.option("--out", type=click.Path(path_type=Path), metavar="FILE", help="Write to FILE, not to stdout.")
def command(out: Path | None) -> None:
    """Write the JSON Schema (draft 7) of experiment files with the plugins that are installed here.

    Editors complete and check experiments by it; `fxkit check` says when it is out of date. Plugins that
    cannot be loaded are left out, each with a line on stderr.
    """
    from fxkit.catalog import Catalog
    from fxkit.files import write_text
    from fxkit.schema.document import experiment_schema

    schema = experiment_schema(Catalog.installed())
    for name, reason in schema.left_out.items():
        click.echo(f"left out: {name}: {reason}", err=True)
    if out is None:
        click.echo(schema.text(), nl=False)
    else:
        try:
            write_text(out, schema.text())
        except OSError as error:
            raise click.ClickException(f"{out} cannot be written: {error.strerror}") from error
        click.echo(f"wrote {out}", err=True)
