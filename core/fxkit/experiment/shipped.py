"""Find the experiment files that come with fxkit."""

from __future__ import annotations

import importlib
import pathlib


def shipped_folder() -> pathlib.Path:
    """Return the folder of the files that ship."""
    # importlib.resources takes longer to import than an experiment to read.
    package = importlib.import_module("fxkit_configs")
    return pathlib.Path(str(package.__file__)).parent


def shipped_experiments() -> dict[str, pathlib.Path]:
    """Map the name of every experiment that ships to its file."""
    return {path.stem: path for path in sorted(shipped_folder().glob("*.toml"))}


def shipped_bases() -> dict[str, pathlib.Path]:
    """Map "base/NAME.toml" or "base/models/NAME.toml", as `extends` spells it, to its file."""
    folder = shipped_folder()
    return {path.relative_to(folder).as_posix(): path for path in sorted(folder.glob("base/**/*.toml"))}


def shown(path: pathlib.Path) -> str:
    """Write a path relative to the working directory when that is shorter."""
    absolute = path.absolute()
    try:
        relative = absolute.relative_to(pathlib.Path.cwd())
    except ValueError:
        return str(absolute)
    return str(relative)
