"""Check that no two plugins of an experiment write the same file of the run folder."""

from __future__ import annotations

from pathlib import PurePosixPath

from fxkit.experiment.draft import Draft
from fxkit.experiment.options import placed
from fxkit.experiment.report import Report
from fxkit.experiment.tree import Tree

# What `fxkit.runs.folder.RunFolder` names.
OWN_FILES = ("resolved.toml", "lock.toml", "metrics.jsonl", "results.json", "report.html", "checkpoints")


def check_outputs(found: Draft, report: Report) -> None:
    """Report files that two options of those with `opt(writes=True)` name, or the run itself writes."""
    first: dict[str, str] = {}
    for option in placed(found):
        if not option.meta.writes:
            continue
        for text, tree in option.texts():
            place = tree or option.table.get("type") or option.table
            _check(text, place, option.part.path, first, report)


def _check(text: str, place: Tree, owner: str, first: dict[str, str], report: Report) -> None:
    path = PurePosixPath(text.replace("\\", "/"))
    if path.is_absolute() or ".." in path.parts:
        report.at_value(place, f'"{text}" leads out of the run folder; name a file in it')
        return
    # File systems differ in whether case counts.
    name = str(path).casefold()
    if path.parts and path.parts[0] in OWN_FILES:
        report.at_value(place, f'the run itself writes "{path.parts[0]}"; choose another name')
    elif name in first:
        report.at_value(place, f'[{first[name]}] writes "{text}" already; choose another name')
    first.setdefault(name, owner)
