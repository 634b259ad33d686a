"""`fxkit import`: take over a model that another program trained."""

from __future__ import annotations

from pathlib import Path

import click

EPILOG = """\b
Examples:
  fxkit import amp.nam
  fxkit import amp.nam --out runs/amp --set size=0.5
  fxkit import pedal.json --as guitarml --set sample_rate=48000
"""


@click.command("import", epilog=EPILOG)
@click.argument("file", type=click.Path(path_type=Path))
@click.option("--out", type=click.Path(path_type=Path), help="Run folder; runs/NAME-DATE-TIME by default.")
@click.option(
    "--as", "importer", metavar="IMPORTER", help="Plugin that reads it; found from the file if absent."
)
@click.option(
    "--set", "settings", multiple=True, metavar="OPTION=VALUE", help="Change an option of the importer."
)
@click.option("--json", "as_json", is_flag=True, help="Write JSON.")
def command(
    file: Path, out: Path | None, importer: str | None, settings: tuple[str, ...], as_json: bool
) -> None:
    """Read FILE, a trained model (.nam, .json), and write it as a run folder.

    What takes a run folder takes this one: render, inspect, bench, export, and fxkit.load. To train it
    further: fxkit run EXPERIMENT --init RUN. `fxkit plugins importers` lists what can be read.
    """
    from fxkit.importing import import_file
    from fxkit.inspection.subject import describe_subject, open_subject
    from fxkit.runs.shape import read_shape

    folder = import_file(file, out=out, importer=importer, settings=settings)
    card = describe_subject(open_subject(str(folder.path)))
    knobs = list(read_shape(folder).knobs)
    if as_json:
        from fxkit.cli.output import write_json

        write_json({"run": str(folder.path), "knobs": knobs, "model": card.document()})
        return
    plugins = ", ".join(node.plugin for node in card.nodes.values())
    taken = f", knobs {', '.join(knobs)}" if knobs else ""
    click.echo(f"{folder.path}: {plugins}, {card.weights} weights, {card.sample_rate} Hz{taken}")
