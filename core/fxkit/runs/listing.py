"""List run folders: what each is, how far it came, and what it is worth; without torch, and fast."""

from __future__ import annotations

import json
import os
import re
from collections.abc import Iterator, Mapping
from datetime import datetime
from pathlib import Path
from typing import Any

import attrs
import tomli

from fxkit.runs.folder import RunFolder
from fxkit.runs.presence import presence

TRIAL = "trial.json"
_INSIDE = {"checkpoints", "audio", "plots", "tensorboard", "profile"}
_STEP = re.compile(rb'"step": (\d+)')
_NAME = re.compile(r'^\[run\]\s(?:(?!\[).*\n)*?name = "((?:[^"\\]|\\.)*)"', re.MULTILINE)


@attrs.frozen(kw_only=True)
class RunRow:
    """Hold what a run folder says of its run.

    `state` is finished, running, interrupted, failed, killed, or damaged, and `reason` says more of it. `val`
    are the validation figures of the weights that it has kept, or of the last validation; `test` those of the
    test split, of which more is better in `higher`. `parameters` are what a sweep gave it.
    """

    path: Path
    name: str = ""
    state: str = "damaged"
    reason: str = ""
    steps: int | None = None
    val: Mapping[str, float | None] = attrs.field(factory=dict)
    test: Mapping[str, float | None] = attrs.field(factory=dict)
    higher: frozenset[str] = frozenset()
    minutes: float | None = None
    weights: int | None = None
    when: datetime | None = None
    sweep: str = ""
    parameters: Mapping[str, str] = attrs.field(factory=dict)

    def document(self) -> dict[str, Any]:
        """Return it as JSON holds it."""
        plain = attrs.asdict(self, recurse=False)
        when = self.when.isoformat(timespec="seconds") if self.when else None
        return {**plain, "path": str(self.path), "higher": sorted(self.higher), "when": when}


class Damaged(Exception):
    """Say what cannot be read of a run folder."""


def find_runs(root: Path) -> Iterator[Path]:
    """Return all run folders at any depth below `root`, itself too, by name."""
    for folder, inner, files in os.walk(root):
        if "resolved.toml" in files or (TRIAL in files) or ("lock.toml" in files and "checkpoints" in inner):
            inner.clear()
            yield Path(folder)
        else:
            inner[:] = sorted(name for name in inner if name not in _INSIDE and not name.startswith("."))


def read_run(path: Path) -> RunRow:
    """Read one run folder; what is wrong with it stands in the row."""
    folder = RunFolder(path)
    row = RunRow(path=path, when=_when(folder))
    try:
        row = _with_trial(row)
        if row.state == "failed" and not folder.resolved.is_file():
            return row
        return _with_end(attrs.evolve(row, name=_name(folder)), folder)
    except Damaged as error:
        return attrs.evolve(row, state="damaged", reason=str(error))


def settings_of(path: Path) -> dict[str, Any]:
    """Return dotted path -> value of a run's resolved experiment; empty when it cannot be read."""
    try:
        return flat(tomli.loads(RunFolder(path).resolved.read_text(encoding="utf-8")))
    except (OSError, ValueError):
        return {}


def flat(document: Mapping[str, Any], prefix: str = "") -> dict[str, Any]:
    """Return dotted path -> value of nested tables."""
    found: dict[str, Any] = {}
    for key, value in document.items():
        inner = flat(value, f"{prefix}{key}.") if isinstance(value, Mapping) else {f"{prefix}{key}": value}
        found.update(inner)
    return found


def _when(folder: RunFolder) -> datetime | None:
    """Return when the run was last written to."""
    times = [_time(path) for path in (folder.results, folder.journal, folder.resolved, folder.path)]
    known = [time for time in times if time is not None]
    return datetime.fromtimestamp(known[0]).astimezone() if known else None


def _time(path: Path) -> float | None:
    try:
        return path.stat().st_mtime
    except OSError:
        return None


def _name(folder: RunFolder) -> str:
    text = _text(folder.resolved)
    found = _NAME.search(text)
    if found is not None and "\\" not in found[1]:
        return found[1]
    try:
        return str(tomli.loads(text)["run"]["name"])
    except (tomli.TOMLDecodeError, KeyError, TypeError) as error:
        raise Damaged(f"resolved.toml: {error}") from error


def _text(path: Path) -> str:
    try:
        return path.read_text(encoding="utf-8")
    except FileNotFoundError as error:
        raise Damaged(f"{path.name} is missing") from error
    except (OSError, UnicodeDecodeError) as error:
        raise Damaged(f"{path.name}: {error}") from error


def _json(path: Path) -> dict[str, Any]:
    try:
        content = json.loads(_text(path))
    except ValueError as error:
        raise Damaged(f"{path.name}: {error}") from error
    if not isinstance(content, dict):
        raise Damaged(f"{path.name}: holds no table")
    return content


def _with_trial(row: RunRow) -> RunRow:
    path = row.path / TRIAL
    if not path.is_file():
        return row
    trial = _json(path)
    failed = trial.get("state") == "failed"
    return attrs.evolve(
        row,
        sweep=str(trial.get("sweep", "")),
        parameters=dict(trial.get("parameters", {})),
        state="failed" if failed else row.state,
        reason=str(trial.get("error", "")) if failed else "",
    )


def _with_end(row: RunRow, folder: RunFolder) -> RunRow:
    data = _bytes(folder.journal)
    if folder.results.is_file():
        return _finished(row, _json(folder.results), data)
    if not folder.lock.is_file():
        raise Damaged("lock.toml is missing")
    steps = _STEP.findall(data[-4096:])
    state, reason = _state(row, folder, data)
    return attrs.evolve(
        row,
        state=state,
        reason=reason,
        steps=int(steps[-1]) if steps else 0,
        val=_figures(_record(data, "val")),
        minutes=_minutes(folder),
    )


def _finished(row: RunRow, results: Mapping[str, Any], data: bytes) -> RunRow:
    try:
        return attrs.evolve(
            row,
            state="finished" if row.state != "failed" else "failed",
            reason=row.reason or results["stopped"] or "",
            steps=results["steps"],
            val=_figures(_record(data, "val", results["best"])),
            test=results["test"],
            higher=frozenset(results.get("higher_is_better", ())),
            minutes=results["seconds"] / 60,
            weights=results["weights"],
        )
    except (KeyError, TypeError) as error:
        raise Damaged(f"results.json: {type(error).__name__} {error}") from error


def _state(row: RunRow, folder: RunFolder, data: bytes) -> tuple[str, str]:
    if row.state == "failed":
        return row.state, row.reason
    noted = presence(folder)
    if noted:
        return noted, ""
    end = _record(data[data.rfind(b"\n", 0, -1) + 1 :], "end")
    if end:
        return str(end.get("reason", "failed")), str(end.get("error", ""))
    return ("interrupted", "") if folder.last.is_file() else ("killed", "before it saved anything")


def _figures(record: Mapping[str, Any]) -> dict[str, float | None]:
    return {name: value for name, value in record.items() if name not in ("kind", "step")}


def _record(data: bytes, kind: str, step: int | None = None) -> dict[str, Any]:
    """Return the last record of a kind, of a step where one is given; the others are not parsed."""
    # A journal's records begin with these two, in this order.
    start = f'{{"kind": "{kind}", "step": ' + ("" if step is None else f"{step},")
    begin = data.rfind(start.encode())
    if begin < 0:
        return {}
    try:
        record: dict[str, Any] = json.loads(data[begin:].split(b"\n", 1)[0])
    except ValueError:
        return {}
    return record


def _bytes(path: Path) -> bytes:
    try:
        return path.read_bytes()
    except OSError:
        return b""


def _minutes(folder: RunFolder) -> float | None:
    first, last = _time(folder.resolved), _time(folder.journal)
    return None if first is None or last is None else max(last - first, 0.0) / 60
