"""`fxkit render`: send a recording through a trained model."""

from __future__ import annotations

from pathlib import Path

import click

EPILOG = """\b
Examples:
  fxkit render runs/first dry.wav wet.wav
  fxkit render runs/first dry.wav wet.flac --knob drive=0.7
  fxkit render runs/first dry.wav wet.wav --block 64
"""


@click.command("render", epilog=EPILOG)
@click.argument("run", type=click.Path(path_type=Path))
@click.argument("source", metavar="IN.wav", type=click.Path(path_type=Path))
@click.argument("target", metavar="OUT.wav", type=click.Path(path_type=Path))
@click.option("--block", type=click.IntRange(min=1), help="Process in blocks of this many samples.")
@click.option("--knob", "knobs", multiple=True, metavar="NAME=VALUE", help="Set one of the device's knobs.")
@click.option("--device", default="auto", help='Where to compute: "auto", "cpu", "cuda".')
@click.option("--force", is_flag=True, help="Replace OUT.wav if it exists.")
@click.option("--allow-local", is_flag=True, help="Allow code named in [plugins.local].")
def command(
    run: Path,
    source: Path,
    target: Path,
    block: int | None,
    knobs: tuple[str, ...],
    device: str,
    force: bool,
    allow_local: bool,
) -> None:
    """Process IN.wav with the model of the folder RUN and write OUT.wav (WAV, FLAC, OGG, AIFF).

    The result has the input's rate and length and is aligned with it; with --block the samples are
    the same as without.
    """
    from fxkit.rendering import render_file

    values = dict(_knob(text) for text in knobs)
    seconds, factor = render_file(
        run, source, target, block=block, knobs=values, device=device, force=force, allow_local=allow_local
    )
    click.echo(f"{target}: {seconds:.2f} s of audio, {factor:.1f} times real time", err=True)


def _knob(text: str) -> tuple[str, float]:
    name, _, value = text.partition("=")
    try:
        return name.strip(), float(value)
    except ValueError:
        raise click.BadParameter(f'"{text}" is not NAME=NUMBER', param_hint="--knob") from None
