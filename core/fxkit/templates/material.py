"""Sum up the recordings of a folder, as far as names and headers tell."""

from __future__ import annotations

from collections import Counter
from collections.abc import Callable, Mapping
from pathlib import Path

import attrs

from fxkit.survey import Found, Survey
from fxkit.templates.headers import Header, read_headers

SPLITS = ("train", "val", "test")


@attrs.frozen(kw_only=True)
class Material:
    """Hold a folder's survey and the header of each file in it."""

    folder: Path
    survey: Survey
    headers: Mapping[Path, Header]

    @property
    def recordings(self) -> tuple[Found, ...]:
        """Return what the dataset would read."""
        return self.survey.recordings

    @property
    def rates(self) -> Counter[int]:
        """Count the files of each sample rate in Hz."""
        return Counter(header.rate for header in self.headers.values())

    @property
    def sides(self) -> tuple[Counter[int], ...]:
        """Count, for each side of the recordings, the files of each number of channels."""
        columns = zip(*(one.files for one in self.recordings), strict=True)
        return tuple(Counter(self.headers[path].channels for path in column) for column in columns)

    def seconds(self, recording: Found) -> float:
        """Return how long all sides of a recording last."""
        return min(self.headers[path].seconds for path in recording.files)

    def of_split(self, split: str | None) -> tuple[Found, ...]:
        """Return the recordings of one split; None for those that the dataset divides itself."""
        return tuple(one for one in self.recordings if one.split == split)


def look(folder: Path, survey: Survey, progress: Callable[[int], object]) -> Material:
    """Read the headers of all that a survey found in `folder`; raises `DataError` for what is no audio."""
    paths = dict.fromkeys(path for one in survey.recordings for path in one.files)
    return Material(folder=folder, survey=survey, headers=read_headers(paths, progress))


def rows(material: Material) -> list[tuple[str, str]]:
    """Write what was found as lines of a table: what, and how much."""
    found = [("recordings", _kind(material))]
    splits = [split for split in (*SPLITS, None) if material.of_split(split)]
    found += [(_split_title(split), _amount(material, split)) for split in splits]
    found.append(("sample rate", _counted(material.rates, "{} Hz")))
    found.append(("channels", _channels(material)))
    if material.survey.knobs:
        found.append(("knobs", ", ".join(material.survey.knobs)))
    return found + [("note", remark) for remark in material.survey.remarks]


def duration_text(seconds: float) -> str:
    """Write a duration: 0.35 s, 12 s, 3 min 20 s, 2 h 5 min."""
    if seconds < 9.95:
        return f"{seconds:.2g} s"
    whole = round(seconds)
    if whole < 60:
        return f"{whole} s"
    if whole < 3600:
        return f"{whole // 60} min" + (f" {whole % 60} s" if whole % 60 else "")
    return f"{whole // 3600} h {whole % 3600 // 60} min"


def counted(number: int, noun: str) -> str:
    """Write a number with its noun: 1 file, 12 files."""
    return f"{number} {noun}" if number == 1 else f"{number} {noun}s"


def noun_of(material: Material) -> str:
    """Return what one recording is called: a pair, or a file."""
    return "pair" if len(material.recordings[0].files) == 2 else "file"


def _kind(material: Material) -> str:
    total = sum(map(material.seconds, material.recordings))
    number = counted(len(material.recordings), noun_of(material))
    return f"{number}, {duration_text(total)}"


def _split_title(split: str | None) -> str:
    return split or "splits"


def _amount(material: Material, split: str | None) -> str:
    if split is None:
        return "none by folder: train, val and test are divided when the run starts"
    members = material.of_split(split)
    number = counted(len(members), noun_of(material))
    return f"{number}, {duration_text(sum(map(material.seconds, members)))}"


def _channels(material: Material) -> str:
    sides = [_counted(side, "{}") for side in material.sides]
    if len(sides) == 2:
        return sides[0] if sides[0] == sides[1] else f"dry {sides[0]}, wet {sides[1]}"
    return ", ".join(sides)


def _counted(counter: Counter[int], form: str) -> str:
    if len(counter) == 1:
        return form.format(next(iter(counter)))
    return ", ".join(f"{form.format(value)} ({counted(n, 'file')})" for value, n in counter.most_common())
