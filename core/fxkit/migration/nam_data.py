"""Bring over the recordings of Neural Amp Modeler: pairs of files, cut by time."""

from __future__ import annotations

import pathlib
import re
import wave
from collections.abc import Iterator, Sequence
from typing import Any

import attrs

from fxkit.migration.entry import Entry
from fxkit.migration.nam_classes import PAIR
from fxkit.migration.rules import apply
from fxkit.migration.work import Work

_MARKED = re.compile(r"(.+)[-_.]([^-_.]+)")
_UNKNOWN = "is a share of the recording here, whose length is not known: its file is not there"


@attrs.frozen(kw_only=True)
class _Length:
    """Hold how long a recording is, in samples, and its rate."""

    samples: int
    rate: int


def bring_data(work: Work, source: Entry) -> None:
    """Bring over a data file; other files are left alone."""
    if source.get("validation") is None and source.get("common") is None:
        return
    parts = {name: _tables(source.get(name)) for name in ("common", "train", "validation")}
    kind = source.get("type")
    if kind is not None and kind.plain() == "dataset":
        work.ledger.unneeded(kind, "pairs of files")
    tables = [table for some in parts.values() for table in some]
    work.sketch.set("data", type="paired-audio", **_folder(work, tables))
    length = _length(tables)
    for table in tables:
        apply(PAIR, table, work.ledger, "data")
        work.rate(table.get("sample_rate"))
        _align(work, table)
    run = work.sketch.tables.setdefault("run", {})
    if length is None and "sample_rate" not in run:
        work.sketch.remark("run", "The sample rate is that of NAM's own recordings; correct it for others.")
    run.setdefault("sample_rate", length.rate if length else 48000)
    _segments(work, parts["common"], parts["train"], parts["validation"])
    _cut(work, parts["common"] + parts["train"], parts["common"] + parts["validation"], length)
    _epoch(work, length)


def _tables(entry: Entry | None) -> list[Entry]:
    if entry is None:
        return []
    return [entry] if entry.is_table else list(entry.elements())


def _folder(work: Work, tables: Sequence[Entry]) -> dict[str, Any]:
    """Return where the files are, and how the two sides are told apart."""
    sides = [[table.get(key) for table in tables if table.get(key)] for key in ("x_path", "y_path")]
    dry, wet = ([_path(entry) for entry in side if entry] for side in sides)
    if not dry or not wet:
        return {"root": "data"}
    told = _told_apart(dry, wet)
    note = "" if told else "the files are to be moved, see there"
    root, names = told or (dry[0].parent, ("input", "target"))
    for side, option in zip(sides, ("input", "target"), strict=True):
        for entry in side:
            work.ledger.mapped(entry, f"data.{option}", note)
    if not told:
        moved = ", ".join(
            f"{x} as input/{x.stem}.wav and {y} as target/{x.stem}.wav"
            for x, y in zip(dry, wet, strict=False)
        )
        work.sketch.remark("data", f"fxkit finds pairs by name below root: put {moved} there.")
    return {"root": root.as_posix(), "input": names[0], "target": names[1]}


def _path(entry: Entry) -> pathlib.PurePosixPath:
    return pathlib.PurePosixPath(str(entry.plain()).replace("\\", "/"))


def _told_apart(
    dry: Sequence[pathlib.PurePosixPath], wet: Sequence[pathlib.PurePosixPath]
) -> tuple[pathlib.PurePosixPath, tuple[str, str]] | None:
    """Return root, input and target where the files are as fxkit wants them: by folder or by name."""
    found = {one for x, y in zip(dry, wet, strict=False) for one in [_one_pair(x, y)]}
    return next(iter(found)) if len(found) == 1 and len(dry) == len(wet) else None


def _one_pair(
    dry: pathlib.PurePosixPath, wet: pathlib.PurePosixPath
) -> tuple[pathlib.PurePosixPath, tuple[str, str]] | None:
    if dry.stem == wet.stem and dry.parent.parent == wet.parent.parent and dry.parent != wet.parent:
        return dry.parent.parent, (dry.parent.name, wet.parent.name)
    one, other = _MARKED.fullmatch(dry.stem), _MARKED.fullmatch(wet.stem)
    if one and other and one[1] == other[1] and dry.parent == wet.parent:
        return dry.parent, (one[2], other[2])
    return None


def _length(tables: Sequence[Entry]) -> _Length | None:
    """Return the length of the first recording, where its file is there and is plain WAV."""
    for table in tables:
        entry = table.get("x_path")
        if entry is None:
            continue
        try:
            with wave.open(str(entry.plain()), "rb") as file:
                return _Length(samples=file.getnframes(), rate=file.getframerate())
        except (OSError, EOFError, wave.Error):
            return None
    return None


def _align(work: Work, table: Entry) -> None:
    for key in ("delay", "allow_unequal_lengths"):
        entry = table.get(key)
        if entry is None:
            continue
        if entry.plain():
            work.sketch.set("data", align=True)
            work.ledger.mapped(entry, "data.align", "measured anew, and both sides cut to one length")
        else:
            work.ledger.unneeded(entry, "nothing is to be moved")


def _segments(work: Work, common: Sequence[Entry], train: Sequence[Entry], val: Sequence[Entry]) -> None:
    for table in (*common, *train, *val):
        entry = table.get("ny")
        if entry is None:
            continue
        size = entry.plain()
        if table in val or not isinstance(size, int):
            work.ledger.unneeded(entry, "whole recordings are validated on")
        else:
            work.sketch.set("data", segment=size)
            work.ledger.mapped(entry, "data.segment", "samples")


def _cut(work: Work, train: Sequence[Entry], val: Sequence[Entry], length: _Length | None) -> None:
    """Bring over where training and validation begin and end, as a share of one recording."""
    limits = [
        (entry, scale)
        for table in {id(one): one for one in (*train, *val)}.values()
        for entry, scale in _limits(table)
    ]
    told = [
        (entry, scale)
        for entry, scale in limits
        if isinstance(entry.plain(), (int, float)) and entry.plain() != 0
    ]
    for entry, _ in limits:
        if entry not in [one for one, _ in told]:
            work.ledger.unneeded(entry, "the recording's own start or end")
    starts = [
        (entry, scale)
        for table in val
        for entry, scale in _limits(table)
        if entry.key.rpartition(".")[2].startswith("start")
    ]
    share = _share(starts, length)
    for entry, _ in told:
        if share is None:
            work.ledger.missing(entry, _UNKNOWN, "data")
        else:
            work.ledger.mapped(entry, "data.val_fraction", f"the last {share:.1%} of the recording")
    if share is not None:
        work.sketch.set("data", val_fraction=share, test_fraction=0.0)


def _limits(table: Entry) -> Iterator[tuple[Entry, bool]]:
    """Yield the limits that a table sets, and whether they are in seconds."""
    for end in ("start", "stop"):
        for unit in ("", "_samples", "_seconds"):
            entry = table.get(f"{end}{unit}")
            if entry is not None:
                yield entry, unit == "_seconds"


def _share(starts: Sequence[tuple[Entry, bool]], length: _Length | None) -> float | None:
    if length is None or not starts:
        return None
    entry, seconds = starts[-1]
    if not isinstance(entry.plain(), (int, float)):
        return None
    start = entry.plain() * (length.rate if seconds else 1)
    share = (-start if start < 0 else length.samples - start) / length.samples
    return round(share, 4) if 0 < share <= 0.5 else None


def _epoch(work: Work, length: _Length | None) -> None:
    """Count the steps of an epoch, where nobody said it and the recording is there."""
    segment = work.sketch.tables["data"].get("segment")
    batch = work.sketch.tables.get("train", {}).get("batch_size")
    if work.steps_per_epoch is None and length is not None and segment and batch:
        share = 1 - work.sketch.tables["data"].get("val_fraction", 0.0)
        work.steps_per_epoch = max(1, int(length.samples * share / segment / batch))
