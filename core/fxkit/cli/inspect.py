"""`fxkit inspect`: show what a model is made of."""

from __future__ import annotations

from pathlib import Path

import click

# Into a file or a pipe, lines are not folded.
_UNFOLDED = 1000

EPILOG = """\b
Examples:
  fxkit inspect overdrive-graybox
  fxkit inspect runs/overdrive --picture overdrive.svg
  fxkit inspect pedal.toml --set nodes.amp.hidden=16 --json
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
@click.option("--force", is_flag=True, help="Replace the picture if it exists.")
@click.option("--allow-local", is_flag=True, help="Allow code named in [plugins.local].")
@click.option("--json", "as_json", is_flag=True, help="Write JSON.")
def command(
    subject: str,
    settings: tuple[str, ...],
    channels: int,
    picture: Path | None,
    force: bool,
    allow_local: bool,
    as_json: bool,
) -> None:
    """Show the graph of an experiment, as it starts, or of a run, as it was trained.

    Each node with its plugin, weights, latency, receptive field, multiplications per sample and
    parameters in physical units; each controller with what it reads and drives. No data is read.
    """
    from fxkit.inspection.picture import draw_card, picture_target
    from fxkit.inspection.subject import describe_subject, open_subject

    target = None if picture is None else picture_target(picture, force=force)
    opened = open_subject(subject, overrides=settings, channels=channels, allow_local=allow_local)
    card = describe_subject(opened)
    if target is not None:
        draw_card(card, target)
    if as_json:
        from fxkit.cli.output import write_json

        write_json(card.document())
    else:
        from rich.console import Console

        from fxkit.cli.output import page_width
        from fxkit.inspection.text import card_tree

        Console(width=page_width() or _UNFOLDED, highlight=False).print(card_tree(card))
    if target is not None:
        click.echo(f"drawn: {target}", err=True)
