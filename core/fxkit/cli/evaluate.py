"""`fxkit eval`: score a trained run again."""

from __future__ import annotations

from pathlib import Path

import click

EPILOG = """\b
Examples:
  fxkit eval runs/first
  fxkit eval runs/first --split val --json
"""


@click.command("eval", epilog=EPILOG)
@click.argument("run", type=click.Path(path_type=Path))
@click.option(
    "--split", type=click.Choice(["train", "val", "test"]), default="test", help="Which recordings."
)
@click.option("--device", default="auto", help='Where to compute: "auto", "cpu", "cuda".')
@click.option("--allow-local", is_flag=True, help="Allow code named in [plugins.local].")
@click.option("--json", "as_json", is_flag=True, help="Write one line of JSON: metrics per recording too.")
def command(run: Path, split: str, device: str, allow_local: bool, as_json: bool) -> None:
    """Score the model of the folder RUN on its recordings, beside the trivial baselines."""
    from fxkit.cli.results import score_table
    from fxkit.scoring import score_run

    scores = score_run(run, split=split, device=device, allow_local=allow_local)
    if as_json:
        click.echo(scores.to_json())
        return
    for name, figures in scores.recordings.items():
        click.echo(f"{name}  " + "  ".join(f"{metric} {value:.5g}" for metric, value in figures.items()))
    click.echo(score_table(scores.means, scores.baselines))
