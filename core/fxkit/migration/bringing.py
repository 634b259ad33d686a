"""Bring an experiment of another program over: from its files to one TOML text and an account."""

from __future__ import annotations

import pathlib
from collections.abc import Callable, Mapping, Sequence

import attrs
import tomli

from fxkit.errors import ExperimentError, Problem
from fxkit.experiment.reader import read_document
from fxkit.experiment.tables import PLACES
from fxkit.migration.entry import Entry
from fxkit.migration.ledger import Ledger, Verdict
from fxkit.migration.nablafx import bring_nablafx
from fxkit.migration.nam import bring_nam
from fxkit.migration.reading import read_source
from fxkit.migration.stable_audio import bring_stable_audio
from fxkit.migration.work import Work

# Program -> what brings its files over.
PROGRAMS: Mapping[str, Callable[[Work, Sequence[Entry]], None]] = {
    "nablafx": bring_nablafx,
    "nam": bring_nam,
    "stable-audio-tools": bring_stable_audio,
}
OWN = "fxkit"
# Program -> keys of which one stands at the top of each of its files.
_SIGNS: Mapping[str, frozenset[str]] = {
    "nam": frozenset({"net", "train_dataloader", "validation", "common"}),
    "stable-audio-tools": frozenset({"model_type", "dataset_type", "DEFAULTS"}),
    "nablafx": frozenset({"model", "data", "trainer"}),
}


@attrs.frozen(kw_only=True)
class Brought:
    """Hold what a program's files became: TOML, the account of every key, what fxkit's reader says of it."""

    program: str
    name: str
    text: str
    ledger: Ledger
    problems: tuple[Problem, ...]


def bring(
    paths: Sequence[pathlib.Path], program: str = "auto", *, steps_per_epoch: int | None = None
) -> Brought:
    """Bring over the files of one experiment.

    Raises `ExperimentError` for files that cannot be read, and for such as are of no known program.
    """
    sources = [read_source(path) for path in paths]
    program = detect(sources) if program == "auto" else program
    work = Work(steps_per_epoch=steps_per_epoch)
    PROGRAMS[program](work, sources)
    work.ledger.close(sources)
    _finish(work, program, sources)
    text = work.sketch.text()
    name = str(work.sketch.tables.get("run", {}).get("name") or paths[0].stem)
    return Brought(
        program=program, name=name, text=text, ledger=work.ledger, problems=_problems(text, f"{name}.toml")
    )


def detect(sources: Sequence[Entry]) -> str:
    """Return the program whose files these are; raises `ExperimentError` when they are of none, or of two."""
    found: dict[str, str] = {}
    for source in sources:
        names = {name for name, _ in source.items()}
        program = next((one for one, signs in _SIGNS.items() if names & signs), None)
        if program is None:
            known = ", ".join(_SIGNS)
            raise _refusal(source.file, f"not a file of {known}, by its keys; say --from PROGRAM")
        found.setdefault(program, source.file)
    if len(found) > 1:
        told = ", ".join(f"{file} is of {program}" for program, file in found.items())
        raise _refusal(sources[0].file, f"the files of one experiment at a time: {told}")
    return next(iter(found))


def _refusal(file: str, message: str) -> ExperimentError:
    return ExperimentError([Problem(file=file, line=0, column=0, path="", message=message)])


def _finish(work: Work, program: str, sources: Sequence[Entry]) -> None:
    """Say in the new file where it comes from, and what it lacks."""
    sketch = work.sketch
    for (place, why), found in _missing(work).items():
        before = ["", *(one.file for one in found)]
        told = ", ".join(
            f"{'' if one.file == last else one.file}:{one.entry.line} {one.short_key} = {one.value}"
            for one, last in zip(found, before, strict=False)
        )
        sketch.remark(place, f"No counterpart: {told}; {why}")
    for name in [place.path for place in PLACES if place.required] + ["train"]:
        if not any(table.partition(".")[0] == name for table in sketch.tables):
            sketch.remark(name, "Nothing in the sources gave this table, which an experiment needs.")
    files = ", ".join(pathlib.PurePath(source.file).name for source in sources)
    sketch.remarks[""] = [f"Brought over from {program}: {files}", *sketch.remarks.get("", ())]


def _missing(work: Work) -> dict[tuple[str, str], list[Verdict]]:
    """Return what has no counterpart by the table that is to say so, and the reason."""
    found: dict[tuple[str, str], list[Verdict]] = {}
    for verdict in work.ledger.of("missing"):
        found.setdefault((_place(verdict.target, work.sketch.tables), verdict.note), []).append(verdict)
    return found


def _place(target: str, tables: Mapping[str, object]) -> str:
    """Return the table that is written and holds `target`, or `target` when none does."""
    names = target.split(".")
    held = (".".join(names[:end]) for end in range(len(names), 0, -1))
    return next((name for name in held if name in tables), names[0])


def _problems(text: str, file: str) -> tuple[Problem, ...]:
    try:
        read_document(tomli.loads(text), file)
    except ExperimentError as error:
        return error.problems
    return ()
