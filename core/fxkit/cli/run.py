"""`fxkit run`: train an experiment."""

from __future__ import annotations

import json
from pathlib import Path
from typing import TYPE_CHECKING

import attrs
import click

from fxkit.cli.results import result_table
from fxkit.launch import launched

if TYPE_CHECKING:
    from fxkit.engine.distributed import Crew

EPILOG = """\b
Examples:
  fxkit run quickstart
  fxkit run pedal.toml --set train.steps=500 --set nodes.amp.hidden=16
  fxkit run overdrive-graybox --set data.root=my/recordings --out runs/first
  fxkit run --resume runs/first
  fxkit run pedal.toml --dry-run
  torchrun --nproc-per-node 4 -m fxkit run pedal.toml
"""


@click.command("run", epilog=EPILOG)
@click.argument("experiment", required=False)
@click.option("--set", "settings", multiple=True, metavar="PATH=VALUE", help="Change one value of the file.")
@click.option("--out", type=click.Path(path_type=Path), help="Run folder; runs/NAME-DATE-TIME by default.")
@click.option("--resume", type=click.Path(path_type=Path), metavar="RUN", help="Go on with a run folder.")
@click.option("--init", type=click.Path(path_type=Path), metavar="RUN", help="Start from a run's weights.")
@click.option("--device", help='Where to train: "auto", "cpu", "cuda", "mps"; overrides run.device.')
@click.option("--find-batch-size", is_flag=True, help="Take the largest batch that fits into memory.")
@click.option("--dry-run", is_flag=True, help="Load data, build everything, make one step; write nothing.")
@click.option("--allow-local", is_flag=True, help="Allow code named in [plugins.local].")
@click.option("--no-plugins", is_flag=True, help="Use fxkit's own plugins only.")
@click.option("--trace-hooks", is_flag=True, help="Tell at the end which callback took how long.")
@click.option("--json", "as_json", is_flag=True, help="End stdout with the result on one line of JSON.")
@click.option("--quiet", is_flag=True, help="Show no progress.")
def command(
    experiment: str | None,
    settings: tuple[str, ...],
    out: Path | None,
    resume: Path | None,
    init: Path | None,
    device: str | None,
    find_batch_size: bool,
    dry_run: bool,
    allow_local: bool,
    no_plugins: bool,
    trace_hooks: bool,
    as_json: bool,
    quiet: bool,
) -> None:
    """Train EXPERIMENT, a TOML file or the name of a shipped one, and score it on its test split."""
    settings = settings if init is None else (*settings, f"run.init={json.dumps(str(init))}")
    _refuse_mixed(experiment, settings, out, resume, dry_run or find_batch_size)
    if dry_run and trace_hooks:
        raise click.UsageError("--dry-run calls no callback, so there is nothing to trace; leave one out")
    order = Order(
        experiment=experiment,
        settings=settings,
        out=out,
        resume=resume,
        device=device,
        find_batch_size=find_batch_size,
        allow_local=allow_local,
        no_plugins=no_plugins,
        trace_hooks=trace_hooks,
    )
    launch = launched()
    if launch is None:
        _obey(order, dry_run, as_json, quiet)
        return
    from fxkit.cli.workers import aboard

    with aboard(launch) as crew:
        _obey(order, dry_run, as_json, quiet or not launch.leads, crew)


@attrs.frozen(kw_only=True)
class Order:
    """Hold what was asked for, as written on the command line."""

    experiment: str | None
    settings: tuple[str, ...]
    out: Path | None
    resume: Path | None
    device: str | None
    find_batch_size: bool
    allow_local: bool
    no_plugins: bool
    trace_hooks: bool


def _obey(order: Order, dry_run: bool, as_json: bool, quiet: bool, crew: Crew | None = None) -> None:
    from fxkit.catalog import Catalog
    from fxkit.experiment.reader import read_experiment
    from fxkit.runs.folder import open_folder

    catalog = Catalog.installed(in_tree_only=order.no_plugins)
    # Mistakes in the file are told before torch is loaded.
    resume = _before_restart(crew) if crew else None
    resume = resume or order.resume
    folder = open_folder(resume) if resume else None
    source = folder.resolved if folder else Path(order.experiment or "")
    overrides = () if folder else order.settings
    read = read_experiment(source, overrides=overrides, catalog=catalog, allow_local=order.allow_local)

    for warning in read.warnings if not (quiet or folder) else ():
        click.echo(f"warning: {warning}", err=True)

    from fxkit import job
    from fxkit.engine.distributed import ALONE
    from fxkit.runs.progress import Silent, terminal_progress

    progress = Silent() if quiet else terminal_progress()
    crew = crew or ALONE
    finding = order.find_batch_size and not folder
    if dry_run:
        losses = job.dry_run(read, progress=progress, device=order.device, crew=crew, find_batch_size=finding)
        shown = "dry run: one step made  " + "  ".join(f"{k} {v:.5g}" for k, v in losses.items())
        _say(crew, shown)
        return
    result = job.run_experiment(
        read,
        progress=progress,
        out=order.out,
        device=order.device,
        resume=folder,
        crew=crew,
        find_batch_size=finding,
        trace_hooks=order.trace_hooks,
    )
    _say(crew, result_table(result), *([result.to_json()] if as_json else []))


def _before_restart(crew: Crew) -> Path | None:
    """Return the run folder that these workers had before they were started again."""
    from fxkit.runs.launches import recalled

    found = recalled(crew.launch) if crew.launch.leads else None
    return crew.told(found)


def _say(crew: Crew, *lines: str) -> None:
    for line in lines if crew.launch.leads else ():
        click.echo(line)


def _refuse_mixed(
    experiment: str | None, settings: tuple[str, ...], out: Path | None, resume: Path | None, new: bool
) -> None:
    if (experiment is None) == (resume is None):
        raise click.UsageError("name an EXPERIMENT, or a run folder with --resume (not both)")
    if resume and (settings or out or new):
        raise click.UsageError(
            "--resume goes on with a run as it was;"
            " --set, --out, --find-batch-size and --dry-run start a new one"
        )
