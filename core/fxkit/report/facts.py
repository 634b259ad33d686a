"""The head of a report: when, with what, on what and for how long each run was trained."""

from __future__ import annotations

import hashlib
from collections.abc import Callable, Mapping, Sequence
from pathlib import Path
from typing import Any

import attrs

from fxkit.files import strict_json
from fxkit.inspection.text import field_text, macs_text
from fxkit.report.contents import Contents, RunContents


@attrs.frozen
class Fact:
    """Hold one fact: a value for each run."""

    label: str
    values: tuple[str, ...]


def run_names(contents: Contents) -> tuple[str, ...]:
    """Return a name for each run, the shortest that tell them apart: folders, or paths."""
    paths = [run.folder.path.resolve() for run in contents.runs]
    for depth in range(1, max(len(path.parts) for path in paths) + 1):
        names = tuple(str(Path(*path.parts[-depth:])) for path in paths)
        if len(set(names)) == len(names):
            return names
    return tuple(f"{number + 1}: {path.name}" for number, path in enumerate(paths))


def title(contents: Contents, names: Sequence[str]) -> str:
    """Return what the report is called."""
    first = contents.runs[0]
    if len(contents.runs) > 1:
        return " and ".join(names) if len(names) < 3 else f"{len(names)} runs compared"
    return str(first.resolved.get("run", {}).get("name", first.folder.path.name))


def facts(contents: Contents) -> tuple[Fact, ...]:
    """Return the facts that are known of any run."""
    rows = [Fact(label, tuple(find(run) for run in contents.runs)) for label, find in _FACTS.items()]
    return tuple(row for row in rows if any(row.values))


def _date(run: RunContents) -> str:
    return str(run.lock.get("started", "")).replace("T", " ")[:16]


def _versions(run: RunContents) -> str:
    packages = run.lock.get("packages", {})
    return ", ".join(f"{name} {packages[name]}" for name in ("fxkit", "torch") if name in packages)


def _trained(run: RunContents) -> str:
    seconds, steps = run.results.get("seconds"), run.results.get("steps")
    parts = [] if steps is None else [f"{steps:,} steps"]
    parts += [] if seconds is None else [duration(seconds)]
    stopped = run.results.get("stopped")
    return ", ".join(parts) + (f"; stopped: {stopped}" if stopped else "")


def duration(seconds: float) -> str:
    """Write a time for people."""
    if seconds < 100:
        return f"{seconds:.0f} s"
    return f"{seconds / 60:.1f} min" if seconds < 6000 else f"{seconds / 3600:.1f} h"


def _kept(run: RunContents) -> str:
    if not run.results:
        return ""
    best = run.results.get("best")
    return "of the last step" if best is None else f"of step {best:,} (best validation)"


def _weights(run: RunContents) -> str:
    count = run.card.weights if run.card else run.results.get("weights")
    return "" if count is None else f"{count:,}"


def _cost(run: RunContents) -> str:
    if run.card is None:
        return ""
    facts = (
        f"{run.card.sample_rate:,} Hz",
        f"latency {run.card.latency} samples",
        f"receptive field {field_text(run.card.receptive_field)}",
        macs_text(run.card.macs),
    )
    return ", ".join(fact for fact in facts if fact)


def _device(run: RunContents) -> str:
    device = str(run.results.get("device", ""))
    machine = str(run.lock.get("machine", ""))
    return ", ".join(part for part in (device, machine) if part)


def _data(run: RunContents) -> str:
    data: Mapping[str, Mapping[str, Any]] = run.lock.get("data", {})
    if not data:
        return ""
    counts = ", ".join(f"{len(rows)} {split}" for split, rows in data.items())
    return f"{counts} (SHA-256 {data_digest(data)[:12]})"


def data_digest(data: Mapping[str, Mapping[str, Any]]) -> str:
    """Return one digest of the digests of all recordings, whatever they are called."""
    rows = {split: sorted(str(digest) for digest in rows.values()) for split, rows in sorted(data.items())}
    return hashlib.sha256(strict_json(rows).encode()).hexdigest()


def _plugin(run: RunContents) -> str:
    return (
        ", ".join(dict.fromkeys(_short(node.plugin) for node in run.card.nodes.values())) if run.card else ""
    )


def _short(plugin: str) -> str:
    return plugin.removeprefix("fxkit/")


_FACTS: dict[str, Callable[[RunContents], str]] = {
    "Model": _plugin,
    "Weights": _weights,
    "Runs at": _cost,
    "Trained": _trained,
    "Weights kept": _kept,
    "Started": _date,
    "Device": _device,
    "Recordings": _data,
    "Made with": _versions,
    "Folder": lambda run: str(run.folder.path),
}
