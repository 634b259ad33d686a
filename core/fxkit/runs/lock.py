"""Record what a run was made with: versions, plugins, hashes, data and the state of the sources."""

from __future__ import annotations

import hashlib
import importlib.metadata
import inspect
import platform
import subprocess
import sys
from collections.abc import Iterable, Mapping
from datetime import datetime
from pathlib import Path
from typing import Any

import tomli
import tomli_w

from fxkit.experiment.model import Experiment, Part
from fxkit.experiment.resolved import config_digest
from fxkit.files import write_text
from fxkit.runs.folder import RunFolder
from fxkit.runs.shape import Shape

_PACKAGES = ("fxkit", "torch", "torchaudio", "numpy", "auraloss")


def lock_document(experiment: Experiment) -> dict[str, Any]:
    """Return everything about the surroundings that can change a run's bits."""
    return surroundings(experiment.resolved, experiment.parts())


def surroundings(resolved: Mapping[str, Any], parts: Iterable[Part]) -> dict[str, Any]:
    """Return what a resolved document and the plugins that it names are used with."""
    return {
        "config": config_digest(resolved),
        "python": platform.python_version(),
        "platform": platform.platform(),
        "machine": platform.machine(),
        "packages": {name: _version(name) for name in _PACKAGES},
        "plugins": {part.path: _plugin(part) for part in parts},
        "git": _git(),
    }


def _version(name: str) -> str:
    try:
        return importlib.metadata.version(name)
    except importlib.metadata.PackageNotFoundError:
        return "not installed"


def _plugin(part: Part) -> dict[str, str]:
    return {"plugin": part.plugin, "version": part.version, "source": source_hash(type(part.spec))}


def source_hash(spec: type) -> str:
    """Return the SHA-256 of the file that defines a spec, empty when it has none."""
    try:
        path = inspect.getsourcefile(spec)
    except TypeError:
        return ""
    return hashlib.sha256(Path(path).read_bytes()).hexdigest() if path and Path(path).is_file() else ""


def _git() -> dict[str, Any]:
    commit = _git_output("rev-parse", "HEAD")
    if commit is None:
        return {}
    return {"commit": commit, "dirty": bool(_git_output("status", "--porcelain", "--untracked-files=no"))}


def _git_output(*arguments: str) -> str | None:
    try:
        done = subprocess.run(("git", *arguments), capture_output=True, text=True, timeout=5, check=False)
    except (OSError, subprocess.TimeoutExpired):
        return None
    return done.stdout.strip() if done.returncode == 0 else None


def write_lock(
    folder: RunFolder, document: Mapping[str, Any], shape: Shape, data: Mapping[str, Mapping[str, str]]
) -> None:
    """Write the lock: date, shape of the model, digests of the data (split -> recording -> SHA-256)."""
    full = {
        **document,
        "command": sys.argv[:],
        "started": datetime.now().astimezone().isoformat(timespec="seconds"),
        "model": shape.document(),
        "data": {split: dict(rows) for split, rows in data.items()},
    }
    write_text(folder.lock, tomli_w.dumps(full))


def lock_changes(folder: RunFolder, document: Mapping[str, Any]) -> list[str]:
    """Return one line for each thing that is not as it was when the run started."""
    try:
        before = tomli.loads(folder.lock.read_text(encoding="utf-8"))
    except (OSError, tomli.TOMLDecodeError):
        return [f"{folder.lock}: missing or damaged; what the run was made with is unknown"]
    then, now = _flat(before), _flat(document)
    watched = [key for key in now if not key.startswith("git.")]
    return [
        f"{key} was {then.get(key, 'absent')} when the run started and is {now[key]} now"
        for key in watched
        if then.get(key) != now[key]
    ]


def _flat(document: Mapping[str, Any], prefix: str = "") -> dict[str, Any]:
    flat: dict[str, Any] = {}
    for key, value in document.items():
        flat.update(
            _flat(value, f"{prefix}{key}.") if isinstance(value, Mapping) else {f"{prefix}{key}": value}
        )
    return flat
