"""Read values over time from a file and bring them to the clock and the parameters of a run."""

from __future__ import annotations

import csv
import difflib
import math
import pathlib
import re
import zipfile
from collections.abc import Mapping, Sequence

import attrs
import numpy as np

from fxkit.context import BuildContext
from fxkit.errors import AssemblyError
from fxkit.parameter import Parameter

_HEADING = re.compile(r"(?P<name>[^()]*?)\s*(\((?P<unit>[^()]*)\))?\s*")


@attrs.frozen
class Column:
    """Hold one column: its unit, empty when none is written, and one number per row."""

    unit: str
    values: tuple[float, ...]


@attrs.frozen
class Automation:
    """Hold a file's columns by name; `rows` says how to refer to each row."""

    name: str
    columns: Mapping[str, Column]
    rows: tuple[str, ...]

    def wrong(self, message: str, row: int | None = None) -> AssemblyError:
        """Say what is wrong in the file."""
        return _wrong(self.name if row is None else f"{self.name}{self.rows[row]}", message)


def _wrong(place: str, message: str) -> AssemblyError:
    return AssemblyError("frames", f"{place}: {message}")


def read(file: pathlib.Path) -> Automation:
    """Read a CSV or .npz file; raises `AssemblyError` when it is damaged."""
    try:
        return _read_npz(file) if file.suffix.lower() == ".npz" else _read_csv(file)
    except (OSError, ValueError, csv.Error, zipfile.BadZipFile) as error:
        raise _wrong(file.name, f"cannot be read: {error}") from error


def _read_csv(file: pathlib.Path) -> Automation:
    with file.open(encoding="utf-8-sig", newline="") as stream:
        lines = [(number, row) for number, row in enumerate(csv.reader(stream), 1) if any(row)]
    if not lines:
        raise _wrong(file.name, "is empty; write a line of column names, then one line per time")
    (_, head), *body = lines
    if len(head) == 1 and ";" in head[0]:
        raise _wrong(file.name, "separates columns by semicolons; separate them by commas")
    headings = [_heading(file.name, text) for text in head]
    for number, row in body:
        if len(row) != len(head):
            raise _wrong(f"{file.name}:{number}", f"has {len(row)} values for {len(head)} columns")
    columns = {
        name: Column(unit, tuple(_number(file.name, number, name, row[index]) for number, row in body))
        for index, (name, unit) in enumerate(headings)
    }
    if len(columns) < len(headings):
        raise _wrong(file.name, "names a column twice; give each its own name")
    return Automation(file.name, columns, tuple(f":{number}" for number, _ in body))


def _heading(file: str, text: str) -> tuple[str, str]:
    match = _HEADING.fullmatch(text.strip())
    if match is None or not match["name"]:
        raise _wrong(f"{file}:1", f'"{text}" is no column name; write "name" or "name (unit)"')
    return match["name"], (match["unit"] or "").strip()


def _number(file: str, line: int, name: str, text: str) -> float:
    try:
        value = float(text)
    except ValueError:
        value = math.nan
    if not math.isfinite(value):
        raise _wrong(f"{file}:{line}", f'{name} = "{text}" is not a number')
    return value


def _read_npz(file: pathlib.Path) -> Automation:
    with np.load(file, allow_pickle=False) as arrays:
        series = {name: np.asarray(arrays[name], dtype=np.float64) for name in arrays.files}
    rows = max((len(values) for values in series.values() if values.ndim), default=0)
    columns: dict[str, Column] = {}
    for name, values in series.items():
        if values.ndim not in (1, 2) or len(values) != rows or not np.isfinite(values).all():
            shape = "x".join(map(str, values.shape)) or "one number"
            raise _wrong(file.name, f"{name} ({shape}) does not have a finite number, or several, per time")
        parts = {name: values} if values.ndim == 1 else {f"{name}[{i}]": v for i, v in enumerate(values.T)}
        columns.update({part: Column("", tuple(v.tolist())) for part, v in parts.items()})
    return Automation(file.name, columns, tuple(f"[{index}]" for index in range(rows)))


def normalised(table: Automation, ctx: BuildContext) -> tuple[list[int], list[list[float]]]:
    """Return the time of each row in samples, and in each row one value in [0, 1] per parameter value.

    Raises `AssemblyError` naming the file, the row and what to change.
    """
    times = _times(table, ctx.sample_rate)
    plain = [parameter.name.partition(".")[2] for parameter in ctx.parameters]
    columns = []
    for parameter, short in zip(ctx.parameters, plain, strict=True):
        names = [parameter.name, short] if plain.count(short) == 1 else [parameter.name]
        for index in range(parameter.size):
            columns.append(_shares(table, parameter, _find(table, parameter, names, index)))
    return times, [list(row) for row in zip(*columns, strict=True)]


def _times(table: Automation, rate: int) -> list[int]:
    column = table.columns.get("time")
    if column is None:
        raise table.wrong(f'has no column "time"; add one, in seconds{_near("time", list(table.columns))}')
    if column.unit not in ("", "s"):
        raise table.wrong(f'the column "time" is in {column.unit}; write seconds, and "time (s)"')
    if not column.values:
        raise table.wrong("has no rows; write at least one time with its values")
    times = [round(value * rate) for value in column.values]
    for row, (seconds, sample) in enumerate(zip(column.values, times, strict=True)):
        if seconds < 0:
            raise table.wrong(f"time = {seconds:g} s lies before the start; times count from 0", row)
        if row and sample <= times[row - 1]:
            raise table.wrong(f"time = {seconds:g} s does not come after the row before; sort the rows", row)
    return times


def _find(table: Automation, parameter: Parameter, names: Sequence[str], index: int) -> str:
    indexed = [f"{name}[{index}]" for name in names] if parameter.size > 1 else []
    wanted = [*indexed, *names]
    found = [name for name in wanted if name in table.columns]
    if not found:
        message = f'has no column "{wanted[0]}"; add it, with values of {parameter.range_text}'
        raise table.wrong(f"{message}{_near(wanted[0], list(table.columns))}")
    return found[0]


def _near(name: str, names: Sequence[str]) -> str:
    near = difflib.get_close_matches(name, names, n=1)
    return f'; is "{near[0]}" meant for it?' if near else ""


def _shares(table: Automation, parameter: Parameter, name: str) -> list[float]:
    column = table.columns[name]
    if column.unit and column.unit != parameter.unit:
        unit = parameter.unit or "no unit"
        raise table.wrong(f'the column "{name}" is in {column.unit}, the parameter has {unit}; convert it')
    for row, value in enumerate(column.values):
        if not parameter.low <= value <= parameter.high:
            raise table.wrong(f"{name} = {value:g} lies outside {parameter.range_text}", row)
    return [parameter.to_normalised(value) for value in column.values]
