"""Find the experiment files that come with fxkit and with other distributions.

A distribution ships experiments by an entry point of the group `fxkit.v1.experiments`: any name, and
as its value a package that holds them, whole ones beside its `__init__.py`, parts to extend in `base/`.
The package is located, never imported.
"""

from __future__ import annotations

import importlib.resources
import os
import pathlib
import sys
from collections import Counter
from collections.abc import Mapping

import attrs

from fxkit.kinds import EXPERIMENTS, GROUP_PREFIX
from fxkit_registry.disabling import gather
from fxkit_registry.finder import declarations

OWN = "fxkit"


@attrs.frozen
class Shelf:
    """Hold one distribution's folder of experiment files."""

    dist: str
    folder: pathlib.Path


def shipped_folder() -> pathlib.Path:
    """Return the folder of the files that come with fxkit."""
    return pathlib.Path(str(importlib.resources.files("fxkit_configs")))


def shelves() -> tuple[Shelf, ...]:
    """Return every folder of experiment files that is installed and not switched off, sorted by distribution.

    An entry point without such a package offers nothing, as if it were not there.
    """
    group = EXPERIMENTS.group
    rules = gather((), os.environ)
    found = {OWN: shipped_folder()}
    for one in declarations(GROUP_PREFIX, sys.path):
        disabled = any(
            rule.covers((EXPERIMENTS.name, EXPERIMENTS.singular), one.name, one.dist) for rule in rules
        )
        folder = _located(one.target) if one.group == group and not disabled else None
        if folder is not None:
            found.setdefault(one.dist, folder)
    return tuple(Shelf(dist, found[dist]) for dist in sorted(found))


def shipped_experiments() -> dict[str, pathlib.Path]:
    """Map the name of every experiment that ships to its file; of equal names, "dist/name" to each."""
    return _named({shelf.dist: _by_stem(shelf.folder) for shelf in shelves()})


def shipped_bases() -> dict[str, pathlib.Path]:
    """Map "base/NAME.toml" or "base/models/NAME.toml", as `extends` spells it, to its file.

    Those of other distributions always begin with their name, "dist/base/NAME.toml": what extends
    a base means the same file whatever else gets installed.
    """
    return {
        name if shelf.dist == OWN else f"{shelf.dist}/{name}": path
        for shelf in shelves()
        for name, path in _by_path(shelf.folder).items()
    }


def _located(package: str) -> pathlib.Path | None:
    """Return the folder of a top-level package, without importing it."""
    if not package.isidentifier():
        return None
    for finder in sys.meta_path:
        spec = finder.find_spec(package, None)
        if spec is not None:
            places = spec.submodule_search_locations
            return pathlib.Path(next(iter(places))) if places else None
    return None


def _by_stem(folder: pathlib.Path) -> dict[str, pathlib.Path]:
    return {path.stem: path for path in sorted(folder.glob("*.toml"))}


def _by_path(folder: pathlib.Path) -> dict[str, pathlib.Path]:
    return {path.relative_to(folder).as_posix(): path for path in sorted(folder.glob("base/**/*.toml"))}


def _named(offers: Mapping[str, Mapping[str, pathlib.Path]]) -> dict[str, pathlib.Path]:
    """Join what distributions offer: a name that one alone has as it is, others as "dist/name"."""
    times = Counter(name for files in offers.values() for name in files)
    found = {
        name if times[name] == 1 else f"{dist}/{name}": path
        for dist, files in offers.items()
        for name, path in files.items()
    }
    return dict(sorted(found.items()))


def shown(path: pathlib.Path) -> str:
    """Write a path relative to the working directory when that is shorter."""
    absolute = path.absolute()
    try:
        relative = absolute.relative_to(pathlib.Path.cwd())
    except ValueError:
        return str(absolute)
    return str(relative)
