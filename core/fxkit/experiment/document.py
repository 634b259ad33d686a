"""Read one experiment file into a tree that knows its positions."""

from __future__ import annotations

import pathlib
from collections.abc import Sequence

import tomli

from fxkit.experiment.model import Origin
from fxkit.experiment.positions import positions
from fxkit.experiment.report import Report
from fxkit.experiment.shipped import shown
from fxkit.experiment.syntax import explain
from fxkit.experiment.tree import Source, Tree, plant
from fxkit.experiment.wording import mismatch

FORMAT = 1


def read_file(path: pathlib.Path, via: Sequence[str], report: Report) -> Tree | None:
    """Read one file; None, with the reason in `report`, when nothing in it can be used.

    `via` says which lines of which files led here, the nearest first.
    """
    source = Source(file=shown(path), folder=path.absolute().parent, via=", ".join(via))
    text = _text(path, source, report)
    if text is None:
        return None
    try:
        data = tomli.loads(text)
    except tomli.TOMLDecodeError as error:
        spot, message = explain(error)
        report.add(source.origin(spot), "", message)
        return None
    tree = plant(data, source, positions(text))
    return tree if check_format(tree, report) else None


def _text(path: pathlib.Path, source: Source, report: Report) -> str | None:
    place = source.origin(None)
    try:
        return path.read_bytes().decode("utf-8")
    except UnicodeDecodeError as error:
        lines = error.object[: error.start].split(b"\n")
        place = Origin(file=source.file, line=len(lines), column=len(lines[-1]) + 1, via=source.via)
        report.add(place, "", "not UTF-8 text; save the file as UTF-8")
    except IsADirectoryError:
        report.add(place, "", "is a folder; name the .toml file in it")
    except OSError as error:
        report.add(place, "", f"cannot be read: {error.strerror}")
    return None


def check_format(tree: Tree, report: Report) -> bool:
    """Check the format number; False when it is newer, so that nothing else can be trusted."""
    number = tree.get("fxkit")
    if number is None:
        message = f"missing; write fxkit = {FORMAT}, the format of this file, in its first line"
        report.add(tree.mark.value, "fxkit", message)
        return True
    if type(number.value) is not int:
        report.at_value(number, mismatch("int", number.value))
        return True
    if number.value > FORMAT:
        message = f"format {number.value} is newer than {FORMAT}, the newest that this fxkit reads"
        report.at_value(number, f"{message}; pip install -U fxkit")
        return False
    if number.value < FORMAT:
        report.at_value(number, f"there is no format {number.value}; write fxkit = {FORMAT}")
    return True
