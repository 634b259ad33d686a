"""`fxkit inspect`: show what a model is made of."""

from __future__ import annotations

from collections.abc import Mapping
from pathlib import Path
from typing import TYPE_CHECKING, Any

import click

if TYPE_CHECKING:
    from fxkit.inspection.subject import Subject

# Into a file or a pipe, lines are not folded.
_UNFOLDED = 1000

EPILOG = """\b
Examples:
  fxkit inspect overdrive-graybox
  fxkit inspect runs/overdrive --picture overdrive.svg
  fxkit inspect pedal.toml --set nodes.amp.hidden=16 --json
  fxkit inspect runs/overdrive --response measured/
"""


@click.command("inspect", epilog=EPILOG)
@click.argument("subject", metavar="EXPERIMENT|RUN")
@click.option("--set", "settings", multiple=True, metavar="PATH=VALUE", help="Change one value of the file.")
@click.option(
    "--channels", type=click.IntRange(min=1), default=1, show_default=True,
    help="Channels of the recordings; a run knows its own.",
)  # fmt: skip
@click.option(
    "--picture", type=click.Path(path_type=Path), metavar="FILE", help="Draw the graph: .svg, .png or .pdf."
)
@click.option(
    "--response", type=click.Path(path_type=Path), metavar="FOLDER",
    help="Measure frequency response and input/output curve: pictures and tables in FOLDER.",
)  # fmt: skip
@click.option(
    "--knob", "knobs", multiple=True, metavar="NAME=VALUE",
    help="Where a knob of the device stands for --response; the middle without.",
)  # fmt: skip
@click.option("--force", is_flag=True, help="Replace what exists.")
@click.option("--allow-local", is_flag=True, help="Allow code named in [plugins.local].")
@click.option("--json", "as_json", is_flag=True, help="Write JSON.")
def command(
    subject: str,
    settings: tuple[str, ...],
    channels: int,
    picture: Path | None,
    response: Path | None,
    knobs: tuple[str, ...],
    force: bool,
    allow_local: bool,
    as_json: bool,
) -> None:
    """Show the graph of an experiment, as it starts, or of a run, as it was trained.

    Each node with its plugin, weights, latency, receptive field, multiplications per sample and
    parameters in physical units; each controller with what it reads and drives. No data is read.

    With --response the model itself is measured: its gain, phase and delay from 20 Hz to half the sample
    rate, its harmonics, and what leaves it over what enters it.
    """
    from fxkit.inspection.picture import draw_card, picture_target
    from fxkit.inspection.subject import describe_subject, open_subject

    target = None if picture is None else picture_target(picture, force=force)
    opened = open_subject(subject, overrides=settings, channels=channels, allow_local=allow_local)
    card = describe_subject(opened)
    if target is not None:
        draw_card(card, target)
    measured = None if response is None else _measured(opened, response, knobs, force)
    if as_json:
        from fxkit.cli.output import write_json

        write_json({**card.document(), **({} if measured is None else {"response": measured})})
    else:
        from rich.console import Console

        from fxkit.cli.output import page_width
        from fxkit.inspection.text import card_tree

        Console(width=page_width() or _UNFOLDED, highlight=False).print(card_tree(card))
        if measured is not None:
            _show(measured)
    if target is not None:
        click.echo(f"drawn: {target}", err=True)
    if response is not None:
        click.echo(f"measured: {response}", err=True)


def _measured(subject: Subject, folder: Path, knobs: tuple[str, ...], force: bool) -> dict[str, Any]:
    from fxkit.inspection.measured import measure_into

    return measure_into(subject, folder, dict(_knob(text) for text in knobs), force=force)


def _knob(text: str) -> tuple[str, float]:
    name, _, value = text.partition("=")
    try:
        return name.strip(), float(value)
    except ValueError:
        raise click.BadParameter(f'"{text}" is not NAME=NUMBER', param_hint="--knob") from None


def _show(measured: Mapping[str, Any]) -> None:
    """Write the response in octaves as a table, then the figures and the notes."""
    from fxkit.cli.output import page_width, table

    rows = measured["octaves"]
    cells = [["-" if value is None else f"{value:.5g}" for value in row.values()] for row in rows]
    click.echo(f"\n{table(list(rows[0]), cells, page_width())}\n")
    figures = measured["figures"].items()
    click.echo(table(["figure", "value"], [[name, f"{value:.5g}"] for name, value in figures], page_width()))
    for note in measured["notes"]:
        click.echo(f"note: {note}")
