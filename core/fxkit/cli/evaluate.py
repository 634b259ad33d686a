"""`fxkit eval`: score trained runs again, beside the baselines and beside each other."""

from __future__ import annotations

from pathlib import Path
from typing import TYPE_CHECKING

import click

if TYPE_CHECKING:
    from fxkit.scores import Comparison
    from fxkit.scoring import Scored

EPILOG = """\b
Examples:
  fxkit eval runs/first
  fxkit eval runs/first --against runs/second --against runs/third
  fxkit eval runs/first --split val --metric lufs-difference --json
  fxkit eval runs/first --metric 'bright={ type = "esr", pre_emphasis = 0.95 }'
  fxkit eval runs/first --embedding logmel-stats --embedding vggish=vggish-10086976.pth
  fxkit eval runs/amp-from-nam --data overdrive-graybox --set data.root=my/pedal
"""


@click.command("eval", epilog=EPILOG)
@click.argument("run", type=click.Path(path_type=Path))
@click.option(
    "--split", type=click.Choice(["train", "val", "test"]), default="test", help="Which recordings."
)
@click.option(
    "--against",
    type=click.Path(path_type=Path),
    multiple=True,
    metavar="RUN",
    help="Compare with another run on the recordings that both have.",
)
@click.option(
    "--metric", "metrics", multiple=True, metavar="NAME", help="Measure this too: a plugin, or NAME={...}."
)
@click.option(
    "--embedding",
    "embeddings",
    multiple=True,
    metavar="NAME",
    help="Compare the outputs, as a set, with the training recordings: a plugin, NAME=FILE, or NAME={...}.",
)
@click.option("--data", metavar="EXPERIMENT", help="Take the recordings of this experiment instead.")
@click.option("--set", "settings", multiple=True, metavar="PATH=VALUE", help="Change data.*, metrics.* so.")
@click.option(
    "--stretches",
    type=click.IntRange(min=0),
    default=10,
    show_default=True,
    metavar="N",
    help="With fewer than 5 recordings: leave N stretches of time of each out in turn for the limits.",
)
@click.option(
    "--report",
    type=click.Path(path_type=Path, dir_okay=False),
    metavar="FILE",
    help="Write a page with players and plots to this file, too.",
)
@click.option("--device", default="auto", help='Where to compute: "auto", "cpu", "cuda".')
@click.option("--allow-local", is_flag=True, help="Allow code named in [plugins.local].")
@click.option("--json", "as_json", is_flag=True, help="Write one line of JSON instead of tables.")
def command(
    run: Path,
    split: str,
    against: tuple[Path, ...],
    metrics: tuple[str, ...],
    embeddings: tuple[str, ...],
    data: str | None,
    settings: tuple[str, ...],
    stretches: int,
    report: Path | None,
    device: str,
    allow_local: bool,
    as_json: bool,
) -> None:
    """Score the model of the folder RUN on its recordings, beside the trivial baselines."""
    from fxkit.cli.results import comparison_table, score_table
    from fxkit.comparing import examine_all
    from fxkit.examination import Examination
    from fxkit.scoring import examine, open_candidate

    examination = Examination(
        split=split,
        metrics=metrics,
        embeddings=embeddings,
        data=data,
        settings=settings,
        stretches=stretches,
        allow_local=allow_local,
    )
    paths = (run, *against)
    _refuse_twice(paths)
    candidates = [open_candidate(path, examination, device=device) for path in paths]
    comparison: Comparison | None = None
    if against:
        scored, comparison = examine_all(candidates, examination)
        shown = comparison.to_json() if as_json else comparison_table(comparison)
    else:
        scored = (examine(candidates[0], examination),)
        scores = scored[0].scores
        shown = scores.to_json() if as_json else score_table(scores, each=True)
    click.echo(shown)
    if not as_json:
        _show_sets(scored)
    if report:
        _write_report(report, scored, comparison)


def _show_sets(scored: tuple[Scored, ...]) -> None:
    """Write distances between sets, below the name of the run where there are several."""
    for one in scored:
        if one.sets and len(scored) > 1:
            click.echo(f"\n{one.scores.run}")
        for name, distance in one.sets.items():
            click.echo(f"set distance by {name}: {distance}")
            for note in distance.notes:
                click.echo(f"  {note}")


def _refuse_twice(paths: tuple[Path, ...]) -> None:
    real = [path.resolve() for path in paths]
    twice = next((path for path in paths if real.count(path.resolve()) > 1), None)
    if twice is not None:
        raise click.UsageError(f"{twice} is named twice; a run is compared with others")


def _write_report(path: Path, scored: tuple[Scored, ...], comparison: Comparison | None) -> None:
    from fxkit.report.contents import Contents
    from fxkit.report.material import gather
    from fxkit.report.report import write_report

    try:
        runs = tuple(
            gather(
                folder=one.candidate.trained.folder,
                scores=one.scores,
                evaluation=one.evaluation,
                model=one.candidate.trained.model,
                experiment=one.candidate.trained.experiment,
            )
            for one in scored
        )
        write_report(path, Contents(runs=runs, comparison=comparison))
    except Exception as error:
        click.echo(f"warning: {path}: not written ({type(error).__name__}: {error})", err=True)
        return
    click.echo(f"report: {path}", err=True)
