"""`fxkit run`: train an experiment."""

from __future__ import annotations

import json
from pathlib import Path
from typing import TYPE_CHECKING

import click

if TYPE_CHECKING:
    from fxkit.engine.job import RunResult

EPILOG = """\b
Examples:
  fxkit run quickstart
  fxkit run pedal.toml --set train.steps=500 --set nodes.amp.hidden=16
  fxkit run overdrive-graybox --set data.root=my/recordings --out runs/first
  fxkit run --resume runs/first
  fxkit run pedal.toml --dry-run
"""


@click.command("run", epilog=EPILOG)
@click.argument("experiment", required=False)
@click.option("--set", "settings", multiple=True, metavar="PATH=VALUE", help="Change one value of the file.")
@click.option("--out", type=click.Path(path_type=Path), help="Run folder; runs/NAME-DATE-TIME by default.")
@click.option("--resume", type=click.Path(path_type=Path), metavar="RUN", help="Go on with a run folder.")
@click.option("--init", type=click.Path(path_type=Path), metavar="RUN", help="Start from the weights of a run.")
@click.option("--device", help='Where to train: "auto", "cpu", "cuda", "mps"; overrides run.device.')
@click.option("--dry-run", is_flag=True, help="Load data, build everything, make one step; write nothing.")
@click.option("--allow-local", is_flag=True, help="Allow code named in [plugins.local].")
@click.option("--no-plugins", is_flag=True, help="Use fxkit's own plugins only.")
@click.option("--json", "as_json", is_flag=True, help="End stdout with the result on one line of JSON.")
@click.option("--quiet", is_flag=True, help="Show no progress.")
def command(
    experiment: str | None,
    settings: tuple[str, ...],
    out: Path | None,
    resume: Path | None,
    init: Path | None,
    device: str | None,
    dry_run: bool,
    allow_local: bool,
    no_plugins: bool,
    as_json: bool,
    quiet: bool,
) -> None:
    """Train EXPERIMENT, a TOML file or the name of a shipped one, and score it on its test split."""
    settings = settings if init is None else (*settings, f"run.init={json.dumps(str(init))}")
    _refuse_mixed(experiment, settings, out, resume, dry_run)
    from fxkit.catalog import Catalog
    from fxkit.experiment.reader import read_experiment
    from fxkit.runs.folder import open_folder

    catalog = Catalog.installed(in_tree_only=no_plugins)
    # Mistakes in the file are told before torch is loaded.
    folder = open_folder(resume) if resume else None
    source = folder.resolved if folder else Path(experiment or "")
    read = read_experiment(source, overrides=settings, catalog=catalog, allow_local=allow_local)

    from fxkit.engine import job
    from fxkit.runs.progress import Silent, terminal_progress

    progress = Silent() if quiet else terminal_progress()
    if dry_run:
        losses = job.dry_run(read, progress=progress, device=device)
        click.echo("dry run: one step made  " + "  ".join(f"{k} {v:.5g}" for k, v in losses.items()))
        return
    result = job.run_experiment(read, progress=progress, out=out, device=device, resume=folder)
    _show(result, as_json)


def _refuse_mixed(
    experiment: str | None, settings: tuple[str, ...], out: Path | None, resume: Path | None, dry_run: bool
) -> None:
    if (experiment is None) == (resume is None):
        raise click.UsageError("name an EXPERIMENT, or a run folder with --resume (not both)")
    if resume and (settings or out or dry_run):
        raise click.UsageError(
            "--resume goes on with a run as it was; --set, --out and --dry-run start a new one"
        )


def _show(result: RunResult, as_json: bool) -> None:
    from fxkit.cli.results import result_table

    click.echo(result_table(result))
    if as_json:
        click.echo(result.to_json())
