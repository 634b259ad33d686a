"""`fxkit migrate`: bring experiments over from older files and from other programs."""

from __future__ import annotations

from pathlib import Path
from typing import TYPE_CHECKING, Any

import attrs
import click

if TYPE_CHECKING:
    from fxkit.migration.bringing import Brought
    from fxkit.migration.own import Upgraded

# fxkit.migration has this list; the command must not import it only to show its help.
PROGRAMS = ("nablafx", "nam", "stable-audio-tools", "fxkit")

EPILOG = """\b
Examples:
  fxkit migrate pedal.toml
  fxkit migrate *.toml --check
  fxkit migrate data.yaml model.yaml trainer.yaml --out pedal.toml
  fxkit migrate data.json model.json learning.json --steps-per-epoch 65
  fxkit migrate vae.json folder.json defaults.ini --from stable-audio-tools --json

\b
Exit codes:
  0  everything was brought over, or nothing needed to be
  1  something has no counterpart; with --check, also: an fxkit file is not up to date
  2  a source cannot be read
  4  the file to write is there already
"""


@click.command("migrate", epilog=EPILOG)
@click.argument("sources", nargs=-1, required=True, metavar="SOURCE...", type=click.Path(path_type=Path))
@click.option(
    "--from",
    "program",
    type=click.Choice(["auto", *PROGRAMS]),
    default="auto",
    help="Program of the sources.",
)
@click.option("--out", type=click.Path(path_type=Path), help="File to write; it must not exist.")
@click.option(
    "--steps-per-epoch",
    type=click.IntRange(min=1),
    help="Turn what other programs count in epochs into steps.",
)
@click.option("--check", "check_only", is_flag=True, help="Write nothing; say what would be done.")
@click.option("--json", "as_json", is_flag=True, help="Print the account as JSON on stdout.")
def command(
    sources: tuple[Path, ...],
    program: str,
    out: Path | None,
    steps_per_epoch: int | None,
    check_only: bool,
    as_json: bool,
) -> None:
    """Bring experiments up to date, or over from another program.

    Older fxkit files are rewritten in place, comments and all; a copy stays beside each as NAME.toml.bak.

    The data, model and training files of one experiment of NablAFx (YAML), Neural Amp Modeler (JSON) or
    stable-audio-tools (JSON, INI) become one TOML file, NAME.toml here by default. Every key of theirs is
    accounted for: where it went, why it is not needed, or that it has no counterpart. What has none is named
    in the new file, too, at its place.
    """
    if program == "fxkit" or (program == "auto" and all(path.suffix == ".toml" for path in sources)):
        _upgrade(sources, out, check_only, as_json)
    else:
        _bring(sources, program, out, steps_per_epoch, check_only, as_json)


def _upgrade(sources: tuple[Path, ...], out: Path | None, check_only: bool, as_json: bool) -> None:
    from fxkit.cli.output import write_json
    from fxkit.migration.own import upgrade_file, write_upgraded

    if out is not None and len(sources) > 1:
        raise click.UsageError("--out takes one file, and there are several sources")
    _check_out(out, sources)
    found = [upgrade_file(path) for path in sources]
    copies = {} if check_only else {str(one.path): write_upgraded(one, out) for one in found}
    if as_json:
        write_json({"files": [_upgraded(one, copies.get(str(one.path))) for one in found]})
    else:
        click.echo("\n".join(line for one in found for line in _lines(one, copies.get(str(one.path)), out)))
    if check_only and any(one.changes for one in found):
        raise click.exceptions.Exit(1)


def _upgraded(found: Upgraded, copy: Path | None) -> dict[str, Any]:
    return {
        "file": str(found.path),
        "changes": [attrs.asdict(change) for change in found.changes],
        "copy": None if copy is None else str(copy),
    }


def _lines(found: Upgraded, copy: Path | None, out: Path | None) -> list[str]:
    changes = [
        f"{found.path}:{one.line}  {one.path}: {one.before} is now {one.after}" for one in found.changes
    ]
    if not changes:
        return [f"{found.path}: up to date"]
    written = [f"{out or found.path}: written" + (f", as it was: {copy}" if copy else "")]
    return [*changes, *(written if out or copy else [])]


def _bring(
    sources: tuple[Path, ...],
    program: str,
    out: Path | None,
    steps_per_epoch: int | None,
    check_only: bool,
    as_json: bool,
) -> None:
    from fxkit.files import write_text
    from fxkit.migration.bringing import bring

    brought = bring(sources, program, steps_per_epoch=steps_per_epoch)
    target = out or Path(f"{brought.name}.toml")
    if not check_only:
        _check_out(target, sources)
        write_text(target, brought.text)
    _report(brought, None if check_only else target, as_json)
    if not brought.ledger.is_complete:
        raise click.exceptions.Exit(1)


def _check_out(out: Path | None, sources: tuple[Path, ...]) -> None:
    """Refuse to write over anything."""
    from fxkit.errors import RunError

    if out is not None and out.exists():
        what = "is one of the sources" if out.resolve() in [path.resolve() for path in sources] else "exists"
        raise RunError(f"{out}: {what}; name another file by --out")


def _report(brought: Brought, target: Path | None, as_json: bool) -> None:
    from fxkit.cli.output import write_json

    if as_json:
        write_json(
            {
                "from": brought.program,
                "file": None if target is None else str(target),
                "text": brought.text,
                "keys": [verdict.row() for verdict in brought.ledger.of()],
                "problems": [attrs.asdict(problem) for problem in brought.problems],
            }
        )
    else:
        click.echo(_account(brought, target))


def _account(brought: Brought, target: Path | None) -> str:
    from fxkit.cli.output import page_width, table
    from fxkit.migration.ledger import STATES

    verdicts = [one for state in STATES for one in brought.ledger.of(state)]
    rows = [
        (
            STATES[one.state],
            one.short_place,
            f"{one.short_key} = {one.value}",
            _becomes(one.state, one.target, one.note),
        )
        for one in verdicts
    ]
    counts = ", ".join(
        f"{number} {text}"
        for state, text in STATES.items()
        if (number := sum(1 for _ in brought.ledger.of(state)))
    )
    done = f"{target}: written from {brought.program}: {counts}" if target else f"{brought.program}: {counts}"
    wrong = [f"to mend before it runs: {problem}" for problem in brought.problems]
    return "\n".join([table(("STATE", "FROM", "KEY", "BECOMES"), rows, page_width()), "", done, *wrong])


def _becomes(state: str, target: str, note: str) -> str:
    if state != "mapped":
        return note
    return f"{target} ({note})" if note else target
