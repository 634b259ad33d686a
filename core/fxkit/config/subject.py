"""Read an experiment together with the tree of what its files say."""

from __future__ import annotations

import pathlib
from collections.abc import Sequence
from typing import Any

import attrs

from fxkit.catalog import Catalog
from fxkit.experiment.composition import compose
from fxkit.experiment.model import Experiment
from fxkit.experiment.overrides import override
from fxkit.experiment.positions import KeyPath
from fxkit.experiment.reader import locate, read_experiment
from fxkit.experiment.report import Report
from fxkit.experiment.shipped import shipped_folder
from fxkit.experiment.tree import Tree
from fxkit.runs.folder import RunFolder, open_folder


@attrs.frozen(kw_only=True)
class Subject:
    """Hold a checked experiment, its file, and the tree that its files and --set options make."""

    path: pathlib.Path
    experiment: Experiment
    tree: Tree

    @property
    def ships(self) -> bool:
        """Tell whether the file is one of fxkit's own."""
        return self.path.resolve().is_relative_to(shipped_folder().resolve())

    @property
    def is_record(self) -> bool:
        """Tell whether the file is what a run wrote of itself."""
        run = RunFolder(self.path.resolve().parent)
        return self.path.resolve() == run.resolved and run.lock.is_file()

    def at(self, path: KeyPath) -> Tree | None:
        """Return what the files say at a path, or None."""
        return node_at(self.tree, path)


def read_subject(
    source: str | pathlib.Path,
    *,
    settings: Sequence[str] = (),
    catalog: Catalog | None = None,
    allow_local: bool = False,
) -> Subject:
    """Read an experiment file, the name of one that ships, or a run folder, whose resolved.toml counts.

    Raises `ExperimentError` with everything that is wrong in it, `RunError` for a folder that is no run.
    """
    folder = pathlib.Path(source)
    path = open_folder(folder).resolved if folder.is_dir() else locate(source)
    experiment = read_experiment(path, overrides=settings, catalog=catalog, allow_local=allow_local)
    report = Report()
    tree = compose(path, report, settings)
    if tree is None:
        raise AssertionError(f"{path} was read, and cannot be composed")
    return Subject(path=path, experiment=experiment, tree=override(tree, settings, report))


def node_at(tree: Tree, path: KeyPath) -> Tree | None:
    """Return what stands at a path of names and indices, or None."""
    found: Tree | None = tree
    for part in path:
        if found is None:
            return None
        found = _element(found, part) if isinstance(part, int) else found.get(part)
    return found


def _element(tree: Tree, index: int) -> Tree | None:
    items: Any = tree.value
    return items[index] if isinstance(items, tuple) and index < len(items) else None
