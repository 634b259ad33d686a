"""`fxkit export`: write a trained model for use elsewhere."""

from __future__ import annotations

from pathlib import Path

import click

EPILOG = """\b
Examples:
  fxkit export runs/amp --to nam
  fxkit export runs/amp --to nam --out models --set name="My amp"
"""


@click.command("export", epilog=EPILOG)
@click.argument("run", type=click.Path(path_type=Path))
@click.option("--to", "exporter", required=True, metavar="EXPORTER", help="Plugin that writes it.")
@click.option("--out", type=click.Path(path_type=Path), help="Folder; exports/NAME by default.")
@click.option(
    "--set", "settings", multiple=True, metavar="OPTION=VALUE", help="Change an option of the exporter."
)
@click.option("--allow-local", is_flag=True, help="Allow code named in [plugins.local].")
@click.option("--json", "as_json", is_flag=True, help="Write JSON.")
def command(
    run: Path, exporter: str, out: Path | None, settings: tuple[str, ...], allow_local: bool, as_json: bool
) -> None:
    """Write the model of the folder RUN in a form that runs elsewhere.

    `fxkit plugins exporters` lists what can be written.
    """
    from fxkit.exporting import export_run

    files = export_run(run, exporter, out=out, settings=settings, allow_local=allow_local)
    if as_json:
        from fxkit.cli.output import write_json

        write_json({"run": str(run), "files": [str(file) for file in files]})
        return
    for file in files:
        click.echo(file)
