"""Tell from names alone what of a folder would be read, and how one that does not fit could be made to."""

from __future__ import annotations

import re
from collections.abc import Iterator, Mapping
from pathlib import Path

from fxkit.survey import Arrangement, Found, Survey
from fxkit_data._finding import refusals
from fxkit_data._formats import READABLE
from fxkit_data._knob_sheet import find_sheet, settings_of
from fxkit_data._layout import Layout, find_pairs, find_singles

# How people call the two sides, the dataset's own words first.
SIDES = (
    ("input", "target"),
    ("dry", "wet"),
    ("input", "output"),
    ("in", "out"),
    ("x", "y"),
    ("clean", "wet"),
    ("clean", "dirty"),
    ("clean", "driven"),
    ("di", "amp"),
    ("source", "target"),
    ("unprocessed", "processed"),
)
_SETTING = re.compile(r"([A-Za-z]+)(-?\d+)")


def survey_pairs(folder: Path) -> Survey:
    """Say which dry/wet pairs are in a folder, under whatever names its two sides have."""
    dry, wet, layout = _best(folder)
    sides = {} if (dry, wet) == SIDES[0] else {"input": dry, "target": wet}
    problems = refusals(layout.findings)
    knobs: tuple[str, ...] = ()
    sheet = find_sheet(folder, None) if folder.is_dir() else None
    if sheet is not None:
        knobs = sheet.names
        problems += refusals(settings_of(sheet, layout.sources)[1])
    return Survey(
        options={"root": folder, **sides},
        recordings=_found(layout),
        knobs=knobs,
        problems=tuple(problems),
        remarks=_remarks(layout),
        arrangement=None if layout.sources else _arrangement(folder),
    )


def survey_singles(folder: Path) -> Survey:
    """Say which recordings are in a folder."""
    layout = find_singles(folder)
    return Survey(
        options={"root": folder},
        recordings=_found(layout),
        problems=tuple(refusals(layout.findings)),
        remarks=_remarks(layout),
    )


def _best(folder: Path) -> tuple[str, str, Layout]:
    """Return the words that find most pairs, of equals the first; the dataset's own where none does."""
    spellings = [(word(dry), word(wet)) for dry, wet in SIDES for word in (str, str.capitalize, str.upper)]
    first = find_pairs(folder, *SIDES[0])
    if first.sources or not folder.is_dir():
        return *SIDES[0], first
    present = _words(folder)
    likely = [pair for pair in spellings if set(pair) <= present]
    tried = [(dry, wet, find_pairs(folder, dry, wet)) for dry, wet in likely]
    return max([(*SIDES[0], first), *tried], key=lambda one: len(one[2].sources))


def _words(folder: Path) -> set[str]:
    """Return every word that may name a side: folders' names, and endings of files' names."""
    places = [folder, *(path for path in folder.iterdir() if path.is_dir())]
    names = [path for place in places for path in place.iterdir()]
    return {re.split(r"[-._]", path.name if path.is_dir() else path.stem)[-1] for path in names}


def _found(layout: Layout) -> tuple[Found, ...]:
    return tuple(Found(name=source.name, files=source.files, split=source.split) for source in layout.sources)


def _remarks(layout: Layout) -> tuple[str, ...]:
    unused = [finding for finding in layout.findings if not finding.refused]
    if len(unused) > 3:
        return (f"{len(unused)} other audio files there are not used, {unused[0].file.name} among them",)
    return tuple(finding.line for finding in unused)


def _arrangement(folder: Path) -> Arrangement | None:
    if not folder.is_dir():
        return None
    return _lone_pair(folder) or _by_settings(folder)


def _lone_pair(folder: Path) -> Arrangement | None:
    """Take a folder of two files whose names are words for the two sides, as Neural Amp Modeler has them."""
    audio = [path for path in sorted(folder.iterdir()) if path.suffix.lower() in READABLE]
    by_word = {path.stem.lower(): path for path in audio}
    for dry, wet in SIDES:
        if len(audio) == 2 and {dry, wet} == by_word.keys():
            files = (by_word[dry], by_word[wet])
            name = folder.resolve().name or "take"
            what = f"a pair of files, {files[0].name} and {files[1].name}"
            return Arrangement(what=what, links=_sided(name, *files))
    return None


def _sided(name: str, dry: Path, wet: Path) -> dict[str, Path]:
    return {f"input/{name}{dry.suffix}": dry, f"target/{name}{wet.suffix}": wet}


def _by_settings(folder: Path) -> Arrangement | None:
    """Take what ToneTwist has: DRY/SPLIT/NAME.input.wav and DEVICE/SPLIT/SETTING/SETTING.NAME.target.wav."""
    dry = next((place for place in (folder / "DRY", folder.parent / "DRY") if place.is_dir()), None)
    if dry is None:
        return None
    links: dict[str, Path] = {}
    rows: list[Mapping[str, str]] = []
    for split, wet, source in _matched(folder, dry):
        setting, name = wet.parent.name, f"{wet.parent.name}.{source.name.split('.')[0]}"
        links |= {f"{split}/{path}": file for path, file in _sided(name, source, wet).items()}
        knobs = dict(_SETTING.findall(setting))
        rows.append({"file": f"{name}{wet.suffix}", "split": split, **knobs})
    if not links:
        return None
    what = f"dry files in {dry} and wet ones by setting of the knobs"
    return Arrangement(what=what, links=links, texts=_sheet(rows))


def _matched(folder: Path, dry: Path) -> Iterator[tuple[str, Path, Path]]:
    """Yield split, wet file and dry file of each pair of one device."""
    for wet in sorted(folder.rglob("*.target.*")):
        parts = wet.relative_to(folder).parts
        if len(parts) != 3 or parts[0] == dry.name or wet.suffix.lower() not in READABLE:
            continue
        name = wet.name.removeprefix(f"{parts[1]}.").split(".target.")[0]
        source = next(iter(sorted((dry / parts[0]).glob(f"{name}.input.*"))), None)
        if source is not None:
            yield {"trainval": "train"}.get(parts[0], parts[0]), wet, source


def _sheet(rows: list[Mapping[str, str]]) -> dict[str, str]:
    names = dict.fromkeys(name for row in rows for name in row)
    # A knob that nobody turned says nothing of what it does.
    columns = [name for name in names if name == "split" or len({row.get(name, "") for row in rows}) > 1]
    if not set(columns) - {"file", "split"}:
        return {}
    lines = [",".join(columns), *(",".join(row.get(name, "") for name in columns) for row in rows)]
    return {"knobs.csv": "\n".join(lines) + "\n"}
