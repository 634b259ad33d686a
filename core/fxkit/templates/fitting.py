"""Fit a template's values to the recordings of a folder, each change with its reason."""

from __future__ import annotations

import math
from collections.abc import Iterator, Mapping
from pathlib import Path
from typing import Any

import attrs

from fxkit.errors import DataError
from fxkit.experiment.tables import DataKeys, RunTable
from fxkit.experiment.tree import Tree
from fxkit.spec import describe
from fxkit.survey import Found
from fxkit.templates.material import Material, duration_text

# Segments shorter than this hold too little of any sound to learn from.
_LEAST_SEGMENT = 256
# What a dataset usually keeps of recordings that it divides itself: train's share, and the gap in seconds.
_TRAIN_SHARE, _GAP = 0.8, 0.5
# Share of the shortest recording that may be left out of scores.
_SKIPPED = 0.05


@attrs.frozen
class Change:
    """Hold a new value and why it is that; None as the value takes the key out."""

    value: Any
    reason: str = ""


Changes = dict[tuple[str, ...], Change]


def fit(tree: Tree, material: Material, file: Path) -> Changes:
    """Return what of a template to change for these recordings; paths are relative to where `file` lies."""
    changes: Changes = {
        ("data", name): Change(_option(value, file)) for name, value in material.survey.options.items()
    }
    changes |= dict(_channels(material))
    rate = _rate(tree, material)
    if rate.value != _value(tree, "run", "sample_rate"):
        changes["run", "sample_rate"] = rate
    changes |= _lengths(tree, material, rate.value)
    return changes | dict(_skip(tree, material))


def relative(path: Path, file: Path) -> str:
    """Write a path relative to the folder of `file`, if that is near and leads there; else absolute."""
    here, there = file.parent.absolute(), path.absolute()
    near = Path(*[".."] * 2)
    for base, up in ((here, Path()), (here.parent, Path("..")), (here.parent.parent, near)):
        if there.is_relative_to(base) and base != base.parent:
            written = up / there.relative_to(base)
            if (here / written).resolve() == there.resolve():
                return written.as_posix()
    return str(there)


def _option(value: Any, file: Path) -> Any:
    return relative(value, file) if isinstance(value, Path) else value


def _value(tree: Tree, *path: str) -> Any:
    found = tree.at(path)
    return None if found is None else found.plain()


def _rate(tree: Tree, material: Material) -> Change:
    """Choose the rate of most recordings; a model of frames keeps its own where they have more."""
    usual: int = _value(tree, "run", "sample_rate") or 48000
    recorded, count = material.rates.most_common(1)[0]
    others = len(material.headers) - count
    option = describe(RunTable).option("sample_rate")
    allowed = option is not None and option.meta.bounds.violation(recorded) is None
    if not allowed or (recorded > usual and _value(tree, "features")):
        return Change(usual)
    return Change(
        recorded, f"rate of most recordings; {others} are resampled" if others else "rate of the recordings"
    )


def _channels(material: Material) -> Iterator[tuple[tuple[str, ...], Change]]:
    """Ask for mono where the files, or the two sides, differ in their channels."""
    counts = {number for side in material.sides for number in side}
    if len(counts) > 1:
        reason = f"averages channels: some files have {min(counts)}, some {max(counts)}"
        yield ("data", "channels"), Change("mono", reason)


def _skip(tree: Tree, material: Material) -> Iterator[tuple[tuple[str, ...], Change]]:
    skip = _value(tree, "data", "skip")
    if skip and skip > _SKIPPED * min(map(material.seconds, material.recordings)):
        yield ("data", "skip"), Change(None)


@attrs.frozen
class _Lengths:
    """Hold what one step reads: samples scored and warmed up on, samples per window, segments."""

    segment: int
    warmup: int
    window: int | None
    batch: int

    def halved(self) -> _Lengths:
        """Return half of what weighs most."""
        if self.warmup >= self.segment:
            return attrs.evolve(self, warmup=self.warmup // 2)
        window = None if self.window is None else max(1, min(self.window, self.segment // 2))
        return attrs.evolve(self, segment=self.segment // 2, window=window)

    def scaled(self, factor: float) -> _Lengths:
        """Return the same time at another rate, by a power of two."""
        window = None if self.window is None else round(self.window * factor)
        return attrs.evolve(
            self, segment=round(self.segment * factor), warmup=round(self.warmup * factor), window=window
        )


def _lengths(tree: Tree, material: Material, rate: int) -> Changes:
    """Fit segment, warm-up, window and batch to the rate and to what there is to learn from."""
    before = _given(tree)
    usual = _value(tree, "run", "sample_rate") or 48000
    after = before.scaled(2.0 ** round(math.log2(rate / usual)))
    lengths = _training_lengths(material, rate)
    while after.segment + after.warmup > min(lengths):
        after = after.halved()
        if after.segment < _LEAST_SEGMENT:
            raise DataError([_too_short(material)])
    slots = sum((length - after.warmup) // after.segment for length in lengths)
    while after.batch > slots:
        after = attrs.evolve(after, batch=after.batch // 2)
    return dict(_differences(before, after, min(lengths) / rate, slots))


def _given(tree: Tree) -> _Lengths:
    segment = _value(tree, "data", "segment")
    return _Lengths(
        segment=DataKeys().segment if segment is None else segment,
        warmup=_value(tree, "data", "warmup") or 0,
        window=_value(tree, "train", "window"),
        batch=_value(tree, "train", "batch_size") or 8,
    )


def _differences(
    before: _Lengths, after: _Lengths, shortest: float, slots: int
) -> Iterator[tuple[tuple[str, ...], Change]]:
    brief = f"fits the shortest recording that is learned from, {duration_text(shortest)}"
    places: Mapping[str, tuple[tuple[str, ...], str]] = {
        "segment": (("data", "segment"), brief),
        "warmup": (("data", "warmup"), ""),
        "window": (("train", "window"), ""),
        "batch": (("train", "batch_size"), f"segments per step; an epoch has {slots}"),
    }
    for name, (path, reason) in places.items():
        value = getattr(after, name)
        if value != getattr(before, name):
            yield path, Change(value, reason)


def _training_lengths(material: Material, rate: int) -> list[int]:
    """Return how many samples of each recording are learned from."""
    chosen = material.of_split("train") or material.of_split(None)
    if not chosen:
        raise DataError([f"{material.folder}: no recordings to learn from; put some into train/"])
    # Fewer files than splits are cut by time.
    cut = not material.of_split("train") and len(chosen) < 3
    share, gap = (_TRAIN_SHARE, _GAP) if cut else (1.0, 0.0)
    return [max(0, math.floor((material.seconds(one) * share - gap) * rate)) for one in chosen]


def _too_short(material: Material) -> str:
    shortest: Found = min(material.recordings, key=material.seconds)
    seconds = duration_text(material.seconds(shortest))
    return f"{shortest.files[0]}: lasts {seconds}, too short to learn from; take it out, or join it to others"
