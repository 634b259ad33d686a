"""Bring fxkit's own files up to date, in place and without losing anything."""

from __future__ import annotations

import pathlib

import attrs
import tomli

from fxkit.errors import ExperimentError, Problem
from fxkit.experiment.document import check_format
from fxkit.experiment.positions import positions
from fxkit.experiment.report import Report
from fxkit.experiment.shipped import shown
from fxkit.experiment.syntax import explain
from fxkit.experiment.tree import Source, plant
from fxkit.files import write_atomically
from fxkit.migration.formats import Change, upgrade


@attrs.frozen(kw_only=True)
class Upgraded:
    """Hold one of fxkit's files, as it was and as it is in the newest format."""

    path: pathlib.Path
    before: bytes
    after: bytes
    changes: tuple[Change, ...]


def upgrade_file(path: pathlib.Path) -> Upgraded:
    """Read a file and bring it to the newest format; nothing is written.

    Raises `ExperimentError` for a file that cannot be read, is not TOML, or is of a newer format.
    """
    file = shown(path)
    try:
        before = path.read_bytes()
        text = before.decode("utf-8")
    except OSError as error:
        raise _refusal(file, 0, 0, f"cannot be read: {error.strerror}") from error
    except UnicodeDecodeError as error:
        raise _refusal(file, 0, 0, "not UTF-8 text; save the file as UTF-8") from error
    try:
        data = tomli.loads(text)
    except tomli.TOMLDecodeError as error:
        spot, message = explain(error)
        raise _refusal(file, spot.line, spot.column, message) from error
    report = Report()
    check_format(plant(data, Source(file=file, folder=path.absolute().parent), positions(text)), report)
    report.raise_if_any()
    after, changes = upgrade(text)
    return Upgraded(path=path, before=before, after=after.encode(), changes=tuple(changes))


def _refusal(file: str, line: int, column: int, message: str) -> ExperimentError:
    return ExperimentError([Problem(file=file, line=line, column=column, path="", message=message)])


def write_upgraded(found: Upgraded, out: pathlib.Path | None) -> pathlib.Path | None:
    """Write what was upgraded to `out`, or in place; return the copy of the file as it was, if one was made.

    The copy is beside the file: NAME.toml.bak, or NAME.toml.bak-2 and so on where there is one.
    """
    if out is not None:
        write_atomically(out, lambda stream: stream.write(found.after))
        return None
    if not found.changes:
        return None
    copy, number = found.path.with_name(f"{found.path.name}.bak"), 2
    while copy.exists():
        copy, number = found.path.with_name(f"{found.path.name}.bak-{number}"), number + 1
    write_atomically(copy, lambda stream: stream.write(found.before))
    write_atomically(found.path, lambda stream: stream.write(found.after))
    return copy
