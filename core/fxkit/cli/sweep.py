"""`fxkit sweep`: train an experiment many times, with different values."""

from __future__ import annotations

import math
import os
from pathlib import Path
from typing import TYPE_CHECKING

import attrs
import click

if TYPE_CHECKING:
    from fxkit.sweeping.axes import Axis
    from fxkit.sweeping.folder import SweepFolder
    from fxkit.sweeping.register import Register
    from fxkit.sweeping.sweep import Sweep

SAMPLERS = ("grid", "random", "tpe", "gp", "cmaes", "qmc", "nsgaii")
PRUNERS = ("none", "median", "asha", "hyperband")
STORAGE_VARIABLE = "FXKIT_SWEEP_STORAGE"
PARENT_VARIABLE = "FXKIT_SWEEP_PARENT"

EPILOG = """\b
Examples:
  fxkit sweep pedal.toml --grid train.optimizer.lr=1e-3,3e-3 --grid nodes.amp.hidden=16,32
  fxkit sweep pedal.toml --param train.optimizer.lr=1e-4..1e-2:log --param nodes.amp.hidden=8..64 --trials 40
  fxkit sweep pedal.toml --param nodes.amp.type=lstm,gru --trials 20 --pruner median --metric esr
  fxkit sweep pedal.toml --grid nodes.amp.hidden=16,32 --grid run.seed=1,2,3
  fxkit sweep family.toml --grid extends.model=base/models/lstm-32.toml,base/models/tcn-45-s.toml
  OMP_NUM_THREADS=2 fxkit sweep pedal.toml --grid nodes.amp.hidden=8,16,32,64 --workers 4
  fxkit sweep --resume runs/pedal-sweep-20260101-120000

\b
Workers share the cores of the machine. Where each trial alone would use all of them, divide
them among the workers: OMP_NUM_THREADS = cores / workers. On a machine with several GPUs,
name one for each: --workers 2 --device cuda:0 --device cuda:1.
"""


@click.command("sweep", epilog=EPILOG)
@click.argument("experiment", required=False)
@click.option("--grid", "grids", multiple=True, metavar="PATH=A,B", help="Try all of these values.")
@click.option(
    "--param",
    "params",
    multiple=True,
    metavar="PATH=LOW..HIGH",
    help="Draw from a range (LOW..HIGH, LOW..HIGH:log, LOW..HIGH:step=8) or from a list (A,B).",
)
@click.option(
    "--set", "settings", multiple=True, metavar="PATH=VALUE", help="Change one value in all trials."
)
@click.option(
    "--sampler",
    type=click.Choice(SAMPLERS),
    help="What chooses values: grid for --grid alone, else tpe, by default.",
)
@click.option("--trials", type=click.IntRange(min=1), metavar="N", help="Trials; of a grid, the first N.")
@click.option(
    "--workers",
    type=click.IntRange(min=1),
    default=1,
    show_default=True,
    metavar="N",
    help="Trials at a time.",
)
@click.option(
    "--storage",
    envvar=STORAGE_VARIABLE,
    metavar="URL",
    help=f"Data base that workers share, also by {STORAGE_VARIABLE}; a SQLite file in the folder by default.",
)
@click.option(
    "--pruner",
    type=click.Choice(PRUNERS),
    default="none",
    show_default=True,
    help="What ends poor trials early.",
)
@click.option("--metric", metavar="NAME", help="What is best by the validation; as train.best by default.")
@click.option("--name", help="Name of the sweep; its folder is runs/NAME. The same command again joins it.")
@click.option(
    "--resume", type=click.Path(path_type=Path), metavar="SWEEP", help="Go on with the folder of a sweep."
)
@click.option("--seed", type=click.IntRange(min=0), default=0, show_default=True, help="Seed of the sampler.")
@click.option(
    "--max-failures",
    type=click.IntRange(min=1),
    default=10,
    show_default=True,
    metavar="N",
    help="End the sweep when N trials have failed.",
)
@click.option(
    "--heartbeat",
    type=click.IntRange(min=1),
    default=15,
    show_default=True,
    metavar="SECONDS",
    help="Time between signs of life; a worker that misses 4 is dead, and its trial is tried again.",
)
@click.option("--device", "devices", multiple=True, help="Where to train; of several, each worker takes one.")
@click.option("--allow-local", is_flag=True, help="Allow code named in [plugins.local].")
@click.option("--no-plugins", is_flag=True, help="Use fxkit's own plugins only.")
@click.option("--json", "as_json", is_flag=True, help="Write the summary as JSON instead of tables.")
@click.option("--quiet", is_flag=True, help="Show no progress.")
def command(
    experiment: str | None,
    grids: tuple[str, ...],
    params: tuple[str, ...],
    settings: tuple[str, ...],
    sampler: str | None,
    trials: int | None,
    workers: int,
    storage: str | None,
    pruner: str,
    metric: str | None,
    name: str | None,
    resume: Path | None,
    seed: int,
    max_failures: int,
    heartbeat: int,
    devices: tuple[str, ...],
    allow_local: bool,
    no_plugins: bool,
    as_json: bool,
    quiet: bool,
) -> None:
    """Train EXPERIMENT with different values and say which are best, by the validation.

    Every trial is a run folder like any other; values are checked before anything runs.
    """
    asked = (*grids, *params, *settings, *filter(None, (sampler, trials, metric, name)))
    _refuse_mixed(experiment, resume, bool(asked))
    team = Team(workers=workers, devices=devices, storage=storage, max_failures=max_failures, quiet=quiet)
    from fxkit.sweeping.optuna_parts import require_optuna

    if resume is not None:
        require_optuna()
        _go_on(resume, team, as_json)
        return
    from fxkit.sweeping.axes import read_axes

    axes = read_axes(grids, params)
    chosen = sampler or ("tpe" if params else "grid")
    require_optuna(chosen)
    from fxkit.sweeping.checks import checked
    from fxkit.sweeping.folder import new_folder
    from fxkit.sweeping.sweep import Sweep

    path = Path(str(experiment))
    sweep = checked(
        Sweep(
            experiment=str(path.absolute()) if path.is_file() else str(experiment),
            settings=settings,
            axes=axes,
            sampler=chosen,
            pruner=pruner,
            trials=_trials(chosen, trials, axes),
            seed=seed,
            heartbeat=heartbeat,
            allow_local=allow_local,
            no_plugins=no_plugins,
        ),
        metric,
    )
    folder = new_folder(name, sweep.run)
    _conduct(folder, _registered(folder, sweep, team), team, as_json)


@attrs.frozen(kw_only=True)
class Team:
    """Hold how the trials are worked on here."""

    workers: int
    devices: tuple[str, ...]
    storage: str | None
    max_failures: int
    quiet: bool

    def report(self, text: str) -> None:
        """Show a line of progress."""
        if not self.quiet:
            click.echo(text, err=True)

    def device(self, worker: int) -> str | None:
        """Return where a worker (from 0) trains; None for where the experiment says."""
        return self.devices[worker % len(self.devices)] if self.devices else None


def _refuse_mixed(experiment: str | None, resume: Path | None, asked: bool) -> None:
    if (experiment is None) == (resume is None):
        raise click.UsageError("name either EXPERIMENT or --resume SWEEP")
    if resume is not None and asked:
        raise click.UsageError("--resume goes on with a sweep as it was begun; leave out what it is made of")


def _trials(sampler: str, trials: int | None, axes: tuple[Axis, ...]) -> int:
    if sampler != "grid":
        if trials is None:
            raise click.UsageError(f"--sampler {sampler} draws as long as it is asked to; add --trials 20")
        return trials
    for axis in axes:
        if axis.is_range:
            raise click.UsageError(
                f"{axis.path}: a grid needs values, not a range; list them, or choose --sampler tpe"
            )
    whole = math.prod(len(axis.probes()) for axis in axes)
    return whole if trials is None else min(trials, whole)


def _registered(folder: SweepFolder, sweep: Sweep, team: Team) -> Register:
    """Begin a sweep, or join the one of that name."""
    from fxkit.sweeping.sweep import refuse_other

    register = folder.new_register(folder.path.name, team.storage, sweep.heartbeat)
    if register.create(sweep):
        team.report(f"{sweep.trials} trials of {sweep.experiment}  {folder.path}")
        return register
    refuse_other(register.sweep(), sweep, str(folder.path))
    team.report(f"joining {folder.path}")
    return register


def _go_on(path: Path, team: Team, as_json: bool) -> None:
    """Go on with the sweep of a folder, as a worker of a team where one has started this process."""
    from fxkit.sweeping.checks import checked
    from fxkit.sweeping.folder import SweepFolder
    from fxkit.sweeping.sweep import refuse_other

    folder, parent = SweepFolder(path), os.environ.get(PARENT_VARIABLE)
    register = folder.open_register(team.storage)
    if parent is not None:
        _work(folder, register, team, int(parent))
        return
    sweep = register.sweep()
    refuse_other(sweep, checked(sweep, sweep.metric), str(path))
    _conduct(folder, register, team, as_json)


def _conduct(folder: SweepFolder, register: Register, team: Team, as_json: bool) -> None:
    """Work on a sweep until it is over, and say what came of it."""
    failure = _led(folder, register, team)
    _finish(folder, register, team, as_json)
    if failure is not None:
        raise failure


def _led(folder: SweepFolder, register: Register, team: Team) -> Exception | None:
    """Let the workers work; returns what is to be raised when the summary has been written."""
    from fxkit.errors import FxkitError

    try:
        if team.workers == 1:
            _work(folder, register, team, None)
            return None
        return _team(folder, team)
    except KeyboardInterrupt:
        return _interrupted(folder)
    except FxkitError as error:
        return error


def _team(folder: SweepFolder, team: Team) -> Exception | None:
    from fxkit.errors import RunError
    from fxkit.sweeping.team import lead, worker_command

    environment = {PARENT_VARIABLE: str(os.getpid())}
    if team.storage:
        environment[STORAGE_VARIABLE] = team.storage
    commands = []
    for worker in range(team.workers):
        device = team.device(worker)
        options = ["--max-failures", str(team.max_failures), *(["--quiet"] if team.quiet else [])]
        commands.append(
            worker_command(str(folder.path), [*options, *(["--device", device] if device else [])])
        )
    code = lead(commands, environment, team.report)
    if code == 130:
        return _interrupted(folder)
    return (
        RunError(f"no worker has ended well; go on with: fxkit sweep --resume {folder.path}")
        if code
        else None
    )


def _interrupted(folder: SweepFolder) -> Exception:
    from fxkit.engine.interrupts import Interrupted

    return Interrupted(f"interrupted. Go on with: fxkit sweep --resume {folder.path}")


def _work(folder: SweepFolder, register: Register, team: Team, parent: int | None) -> None:
    from fxkit.sweeping.worker import Worker

    Worker(
        sweep=register.sweep(),
        register=register,
        folder=folder.path,
        device=team.device(0),
        report=team.report,
        max_failures=team.max_failures,
        parent=parent,
    ).work()


def _finish(folder: SweepFolder, register: Register, team: Team, as_json: bool) -> None:
    """Write summary, best experiment and pictures, and show the summary."""
    from fxkit.cli.output import write_json
    from fxkit.cli.sweep_results import sweep_table
    from fxkit.sweeping.finish import conclude

    summary, notes = conclude(folder, register)
    for note in notes:
        team.report(f"warning: {note}")
    if as_json:
        write_json({"folder": str(folder.path), **summary.document()})
    else:
        click.echo(sweep_table(summary, folder))
