"""`fxkit doctor`: what works on this machine, and how to mend the rest."""

from __future__ import annotations

from collections.abc import Sequence

import attrs
import click

from fxkit.cli import checkup
from fxkit.cli.checkup import Row
from fxkit.cli.output import write_json

EPILOG = """\b
Examples:
  fxkit doctor
  fxkit doctor --json
"""

_COLOURS = {"ok": "green", "warn": "yellow", "fail": "red"}


@click.command("doctor", epilog=EPILOG)
@click.option("--json", "as_json", is_flag=True, help="Write JSON.")
def command(as_json: bool) -> None:
    """Check Python, torch and torchaudio, devices, audio formats, start-up, heap and plugins.

    Each row is ok, warn (works, with a loss) or fail (fxkit cannot work), with what to do. The exit
    code is 1 when a row fails.
    """
    rows = examined()
    if as_json:
        write_json({"checks": [attrs.asdict(row) for row in rows]})
    else:
        click.echo("\n".join(map(_line, rows)))
    if any(row.status == "fail" for row in rows):
        raise click.exceptions.Exit(1)


def examined() -> Sequence[Row]:
    """Run every check."""
    from fxkit.catalog import Catalog
    from fxkit.cli.plugins import listing
    from fxkit.kinds import KINDS

    facts = checkup.probed()
    catalog = Catalog.installed()
    rows = (
        checkup.python(),
        checkup.torch(facts["torch"]),
        checkup.torchaudio(facts["torchaudio"]),
        checkup.devices(facts["torch"]),
        checkup.threads(facts["torch"]),
        checkup.soundfile(facts["soundfile"]),
        checkup.bytecode(),
        checkup.heap(),
        checkup.plugins(catalog, listing(catalog, KINDS, check=True)),
    )
    return [row for row in rows if row is not None]


def _line(row: Row) -> str:
    status = click.style(f"{row.status:4}", fg=_COLOURS[row.status])
    fix = f"\n{'':18}fix: {row.fix}" if row.fix else ""
    return f"{status}  {row.name:10}  {row.detail}{fix}"
