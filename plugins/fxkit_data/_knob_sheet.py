"""Read which setting each recording was made with, from a CSV, TOML or JSON file beside the audio."""

from __future__ import annotations

import csv
import difflib
import json
import math
from collections.abc import Mapping, Sequence
from pathlib import Path
from typing import Any

import attrs

from fxkit_data._finding import Finding
from fxkit_data._formats import READABLE
from fxkit_data._layout import Source
from fxkit_data._recorded import SPLITS
from fxkit_data._turned import Setting, turned, values_of

NAMES = ("knobs.toml", "knobs.json", "knobs.csv")
LOW, HIGH = "[low]", "[high]"
_EXTRA = ""  # the name under which cells without a column name are kept


@attrs.frozen(kw_only=True)
class Row:
    """Hold the settings of one file as written: `place` for messages, `file` as the sheet spells it."""

    place: str
    file: str
    split: str | None
    values: Mapping[str, Any]


@attrs.frozen(kw_only=True)
class KnobSheet:
    """Hold a whole sheet: names in order, rows, declared (low, high) ranges, and what is wrong with it."""

    path: Path
    names: tuple[str, ...] = ()
    rows: tuple[Row, ...] = ()
    ranges: Mapping[str, tuple[float, float]] = attrs.field(factory=dict)
    findings: tuple[Finding, ...] = ()


def find_sheet(root: Path, chosen: Path | None) -> KnobSheet | None:
    """Read the chosen sheet, or the one that lies in `root`; None when there is none."""
    if chosen is not None:
        return read_sheet(chosen)
    present = [root / name for name in NAMES if (root / name).is_file()]
    if len(present) > 1:
        others = " and ".join(path.name for path in present[1:])
        return _broken(present[0], f"is not the only knob file: {others} is there too", "keep one of them")
    return read_sheet(present[0]) if present else None


def read_sheet(path: Path) -> KnobSheet:
    """Read a sheet; whatever is wrong with it is among its findings."""
    readers = {".csv": _from_csv, ".toml": _from_toml, ".json": _from_json}
    reader = readers.get(path.suffix.lower())
    if reader is None:
        return _broken(path, "is not a knob file", f"write it as one of {', '.join(readers)}")
    try:
        return reader(path, path.read_text(encoding="utf-8-sig"))
    except OSError as error:
        return _broken(path, f"cannot be read ({error.strerror})", "correct data.knobs")
    except ValueError as error:
        reason = str(error).splitlines()[0]
        return _broken(path, f"is not valid {path.suffix[1:].upper()} ({reason})", "correct it")


def settings_of(
    sheet: KnobSheet, sources: Sequence[Source]
) -> tuple[list[tuple[Setting, ...]], list[Finding]]:
    """Return the settings of each source in the sheet's order of names, and every mismatch of the two."""
    findings = list(sheet.findings)
    chosen: dict[int, Row] = {}
    known = _by_name(sources)
    for row in sheet.rows:
        places = [index for index in _candidates(row, known) if _speaks_of(row, sources[index])]
        if not places:
            findings.append(_unknown(sheet, row, sources))
        for index in places:
            if index in chosen:
                what = f"sets {row.file!r} again, after {chosen[index].place}"
                findings.append(_wrong(sheet, f"{row.place} {what}", "keep one of the two"))
            chosen.setdefault(index, row)
    unset = [source for index, source in enumerate(sources) if index not in chosen]
    findings += [_wrong_file(sheet, source) for source in unset if sheet.names]
    numbers = [_numbers(sheet, row) for row in chosen.values()]
    findings += [finding for _, wrong in numbers for finding in wrong]
    values = dict(zip(chosen, (value for value, _ in numbers), strict=True))
    blank = (math.nan,) * len(sheet.names)
    return [values.get(index, blank) for index in range(len(sources))], findings


def _from_csv(path: Path, text: str) -> KnobSheet:
    reader = csv.DictReader(text.splitlines(), restkey=_EXTRA, skipinitialspace=True)
    header = [name.strip() for name in reader.fieldnames or ()]
    reader.fieldnames = header
    if "file" not in header or len(set(header)) < len(header):
        fix = 'begin it with a line like "file,drive,tone"'
        return _broken(path, 'has no line of distinct column names with "file" among them', fix)
    names = tuple(name for name in header if name not in ("file", "split"))
    rows = [
        Row(
            place=f"line {reader.line_num}",
            file=(cells["file"] or "").strip(),
            split=(cells.get("split") or "").strip() or None,
            values={name: cells[name] for name in (*names, *({_EXTRA} & cells.keys()))},
        )
        for cells in reader
    ]
    bounds = {row.file: row for row in rows if row.file in (LOW, HIGH)}
    ranges = {}
    if len(bounds) == 2:
        ranges = {name: (bounds[LOW].values[name], bounds[HIGH].values[name]) for name in names}
    files = tuple(row for row in rows if row.file not in bounds)
    return _checked(path, names, files, ranges)


def _from_toml(path: Path, text: str) -> KnobSheet:
    import tomli

    return _from_document(path, tomli.loads(text))


def _from_json(path: Path, text: str) -> KnobSheet:
    return _from_document(path, json.loads(text))


def _from_document(path: Path, document: Any) -> KnobSheet:
    tables = document if isinstance(document, dict) else {}
    files, ranges = tables.get("files"), tables.get("ranges", {})
    fix = 'write files."NAME" = { knob = number } and, if wanted, ranges.knob = [low, high]'
    if not isinstance(files, dict) or not all(isinstance(row, dict) for row in files.values()):
        return _broken(path, 'has no table "files" of tables', fix)
    extra = sorted(tables.keys() - {"files", "ranges"})
    if extra or not isinstance(ranges, dict):
        return _broken(path, f'has keys other than "files" and "ranges": {", ".join(extra)}', fix)
    names = tuple(dict.fromkeys(name for row in files.values() for name in row))
    rows = tuple(
        Row(place=f"files.{file!r}", file=file, split=None, values=row) for file, row in files.items()
    )
    return _checked(path, names, rows, ranges)


def _checked(
    path: Path, names: tuple[str, ...], rows: tuple[Row, ...], ranges: Mapping[str, Any]
) -> KnobSheet:
    if not names or not rows:
        return _broken(path, "sets no knob of any file", "add settings, or remove the file")
    findings, kept = [], {}
    for name, pair in ranges.items():
        limits = tuple(map(_number, pair)) if isinstance(pair, (list, tuple)) else ()
        if name in names and len(limits) == 2 and limits[0] < limits[1]:
            kept[name] = (limits[0], limits[1])
            continue
        what = f"gives {name!r} a range that is not [low, high] of a knob, low < high: {pair!r}"
        findings.append(Finding(check="knobs", file=path, what=what, fix="correct the range"))
    return KnobSheet(path=path, names=names, rows=rows, ranges=kept, findings=tuple(findings))


def _numbers(sheet: KnobSheet, row: Row) -> tuple[tuple[Setting, ...], list[Finding]]:
    written = (row.values.get(name) for name in sheet.names)
    values: tuple[Setting, ...] = tuple(turned(one) or _number(one) for one in written)
    findings = []
    for name, value in zip(sheet.names, values, strict=True):
        one = row.values.get(name)
        if not all(map(math.isfinite, values_of(value))):
            what = f"has no {name!r}" if one in (None, "") else f"has {name} = {one!r}, not a number"
            fix = f"write the setting of {row.file!r} as a number"
            if isinstance(one, list):
                what = f"has {name} = {one!r}, not [[seconds, number], ...] with rising seconds"
            findings.append(_wrong(sheet, f"{row.place} {what}", fix))
    if _EXTRA in row.values:
        what = f"{row.place} has more cells than the first line has names"
        findings.append(_wrong(sheet, what, "add the name or remove the cell"))
    return values, findings


def _number(written: Any) -> float:
    """Return a finite number as written, NaN for anything else."""
    if isinstance(written, bool) or not isinstance(written, (int, float, str)):
        return math.nan
    try:
        return float(written)
    except ValueError:
        return math.nan


def _by_name(sources: Sequence[Source]) -> Mapping[str, Sequence[int]]:
    """Map every spelling of a source to the places of those that go by it."""
    known: dict[str, list[int]] = {}
    for index, source in enumerate(sources):
        for name in _spellings(source):
            known.setdefault(name, []).append(index)
    return known


def _candidates(row: Row, known: Mapping[str, Sequence[int]]) -> Sequence[int]:
    name = _bare(row.file)
    return sorted({*known.get(name, ()), *known.get(name.partition("/")[2], ())})


def _spellings(source: Source) -> set[str]:
    return {source.name, *(_bare(file.name) for file in source.files)}


def _speaks_of(row: Row, source: Source) -> bool:
    split, name = row.split, _bare(row.file)
    head, _, rest = name.partition("/")
    if split is None and source.split and head in SPLITS and rest:
        split, name = head, rest
    return name in _spellings(source) and split in (None, source.split)


def _bare(file: str) -> str:
    path = Path(file)
    return path.with_suffix("").as_posix() if path.suffix.lower() in READABLE else path.as_posix()


def _unknown(sheet: KnobSheet, row: Row, sources: Sequence[Source]) -> Finding:
    where = f" in {row.split}" if row.split else ""
    near = difflib.get_close_matches(_bare(row.file), [source.name for source in sources], n=1)
    hint = f" (is it {near[0]!r}?)" if near else ""
    what = f"{row.place} names {row.file!r}{where}, which is no recording here{hint}"
    return _wrong(sheet, what, "correct or remove it")


def _wrong_file(sheet: KnobSheet, source: Source) -> Finding:
    what = f"has no settings in {sheet.path.name}"
    return Finding(check="knobs", file=source.target, what=what, fix=f"add a row for {source.name!r}")


def _wrong(sheet: KnobSheet, what: str, fix: str) -> Finding:
    return Finding(check="knobs", file=sheet.path, what=what, fix=fix)


def _broken(path: Path, what: str, fix: str) -> KnobSheet:
    return KnobSheet(path=path, findings=(Finding(check="knobs", file=path, what=what, fix=fix),))
