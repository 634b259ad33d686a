"""Read an experiment: files, parents, overrides, plugins and checks, in one go."""

from __future__ import annotations

import pathlib
from collections.abc import Mapping, Sequence
from typing import Any

from fxkit.catalog import Catalog
from fxkit.errors import ExperimentError, Problem, in_order
from fxkit.experiment.composition import compose, compose_document
from fxkit.experiment.course_checks import check_course
from fxkit.experiment.crosscheck import crosscheck
from fxkit.experiment.declarations import check_declarations, uncontrolled
from fxkit.experiment.document import check_format
from fxkit.experiment.draft import Draft, draft
from fxkit.experiment.length_checks import check_lengths
from fxkit.experiment.loss_checks import check_losses
from fxkit.experiment.model import Blueprint, Experiment, Origin
from fxkit.experiment.output_checks import check_outputs
from fxkit.experiment.overrides import override
from fxkit.experiment.phase_checks import check_phases
from fxkit.experiment.positions import dotted
from fxkit.experiment.reference_checks import check_references
from fxkit.experiment.report import Report
from fxkit.experiment.resolved import resolve
from fxkit.experiment.shipped import shipped_experiments, shown
from fxkit.experiment.tables import PLACES, TABLES, with_an_end
from fxkit.experiment.tree import Source, Tree, plant
from fxkit.experiment.wording import suggestion

# The named tables of which a model is made.
MODEL_PLACES = ("features", "controllers", "nodes")


def read_experiment(
    source: str | pathlib.Path,
    *,
    overrides: Sequence[str] = (),
    catalog: Catalog | None = None,
    allow_local: bool = False,
) -> Experiment:
    """Read and check an experiment file, or one that ships by its name; without torch.

    `overrides` are "path=value" texts that are laid over the file in order. `catalog` says which
    plugins there are; the installed ones by default. `allow_local` permits the code that
    [plugins.local] names.

    Raises `ExperimentError` with everything that is wrong, sorted by place.
    """
    report = Report()
    path = locate(source)
    tree = compose(path, report, overrides)
    if tree is None:
        raise ExperimentError(report.problems)
    return _experiment(tree, shown(path), overrides, catalog, allow_local, report)


def read_document(
    document: Mapping[str, Any],
    file: str,
    *,
    overrides: Sequence[str] = (),
    catalog: Catalog | None = None,
    allow_local: bool = False,
) -> Experiment:
    """Read and check an experiment that was parsed already; `file` is its name in messages.

    Relative paths are relative to the folder of `file`. Otherwise like `read_experiment`, except
    that problems carry no lines.
    """
    report = Report()
    tree = _planted(document, file, report, overrides)
    if tree is None:
        raise ExperimentError(report.problems)
    return _experiment(tree, file, overrides, catalog, allow_local, report)


def read_blueprint(document: Mapping[str, Any], file: str) -> Blueprint:
    """Read and check the tables of a document that make a model; data, losses and training may be missing.

    `file` is the document's name in messages. Raises `ExperimentError` like `read_document`.
    """
    report = Report()
    found = _model_draft(document, file, report)
    crosscheck(found, report)
    check_declarations(found, report)
    report.raise_if_any()
    tables: dict[str, Any] = {name: found.tables[name] for name in ("run", "model", "plugins")}
    parts: dict[str, Any] = {name: found.parts[name] for name in MODEL_PLACES}
    return Blueprint(file=file, **tables, **parts)


def with_controllers(document: Mapping[str, Any], file: str, plugin: str) -> dict[str, Any]:
    """Return the document with a controller of the type `plugin` for every node that lacks one."""
    found = _model_draft(document, file, Report())
    added = {
        name: {**document["nodes"][name], "controller": {"type": plugin}} for name in uncontrolled(found)
    }
    return {**document, "nodes": {**document["nodes"], **added}}


def _model_draft(document: Mapping[str, Any], file: str, report: Report) -> Draft:
    tree = _planted(document, file, report)
    if tree is None:
        raise ExperimentError(report.problems)
    return draft(tree, Catalog.installed(), report, allow_local=False, model_only=True)


def _planted(
    document: Mapping[str, Any], file: str, report: Report, overrides: Sequence[str] = ()
) -> Tree | None:
    tree = plant(document, Source(file=file, folder=pathlib.Path(file).absolute().parent), {})
    return compose_document(tree, report, overrides) if check_format(tree, report) else None


def locate(source: str | pathlib.Path) -> pathlib.Path:
    """Return the file that `source` names: a path, or the name of an experiment that ships.

    Raises `ExperimentError` when it is neither.
    """
    path, name = pathlib.Path(source), str(source)
    if path.is_file():
        return path
    ships = shipped_experiments()
    if name in ships:
        return ships[name]
    if path.exists():
        return path
    beside = [str(path.with_name(one.name)) for one in path.parent.glob("*.toml")]
    near = suggestion(name, [*beside, *ships])
    message = f"no such file, and no experiment of that name ships with fxkit ({', '.join(ships)}){near}"
    rivals = [f'"{one}"' for one in ships if one.endswith(f"/{name}")]
    if rivals:
        message = f"no such file, and several distributions ship one; write {' or '.join(rivals)}"
    raise ExperimentError([Problem(file=name, line=0, column=0, path="", message=message)])


def _experiment(
    tree: Tree,
    file: str,
    overrides: Sequence[str],
    catalog: Catalog | None,
    allow_local: bool,
    report: Report,
) -> Experiment:
    tree = override(tree, overrides, report)
    found = draft(tree, catalog or Catalog.installed(), report, allow_local=allow_local)
    crosscheck(found, report)
    check_phases(found, report)
    check_declarations(found, report)
    check_losses(found, report)
    check_references(found, report)
    check_course(found, report)
    check_lengths(found, report)
    check_outputs(found, report)
    report.raise_if_any()
    return _built(found, file, in_order(report.warnings))


def _built(found: Draft, file: str, warnings: tuple[Problem, ...]) -> Experiment:
    train = with_an_end(found.tables["train"], found.tables["phase"])
    named: dict[str, Any] = {place.path: found.parts[place.path] for place in PLACES if place.named}
    tables = {**found.tables, "train": train}
    return Experiment(
        file=file,
        phases=found.tables["phase"],
        **{name: tables[name] for name in TABLES},
        **named,
        data=found.parts["data"][""],
        optimizer=train.optimizer,
        schedule=train.schedule,
        resolved=resolve(tables, found.parts),
        origins=_origins(found.tree),
        warnings=warnings,
    )


def _origins(tree: Tree) -> dict[str, Origin]:
    return {dotted(path): leaf.mark.value for path, leaf in tree.leaves()}
