"""Make a new experiment of a template: fitted to recordings, changed as asked, checked, and written."""

from __future__ import annotations

import pathlib
import textwrap
from collections.abc import Mapping, Sequence

import attrs
import tomli

from fxkit.catalog import Catalog
from fxkit.errors import ExperimentError
from fxkit.experiment.document import FORMAT
from fxkit.experiment.overrides import override
from fxkit.experiment.reader import read_document
from fxkit.experiment.report import Report
from fxkit.experiment.tree import Source, Tree, merge, plant, without
from fxkit.templates.comments import Comments
from fxkit.templates.fitting import Change, fit
from fxkit.templates.material import Material, counted, duration_text, noun_of
from fxkit.templates.template import Template, TemplateError
from fxkit.templates.writing import Layout

SCHEMA = "fxkit.schema.json"
_WIDTH = 108


@attrs.frozen(kw_only=True)
class Request:
    """Say what is wanted: of which template, in which file, called what, with which values set.

    `settings` are "path=value" texts as `--set` takes them; paths in them are relative to `file`.
    `material` is what was found of the recordings, None where there are none to fit to.
    """

    template: Template
    file: pathlib.Path
    name: str
    material: Material | None = None
    settings: Sequence[str] = ()


def new_experiment(request: Request, catalog: Catalog) -> str:
    """Return the text of a new experiment file.

    Raises `ExperimentError` when the settings do not fit the template, `DataError` when nothing can
    be learned from the recordings.
    """
    changes = {} if request.material is None else fit(request.template.tree, request.material, request.file)
    changes["run", "name"] = Change(request.name)
    report = Report()
    tree = override(_changed(request.template.tree, changes), request.settings, report)
    report.raise_if_any()
    reasons = {path: change.reason for path, change in changes.items() if change.reason}
    text = Layout(
        tree=tree,
        head=_head(request),
        reasons={path: reason for path, reason in reasons.items() if _still(tree, path, changes[path])},
        comments=Comments(catalog),
    ).text()
    document = {"fxkit": FORMAT, **tree.plain()}
    _check(document, text, request, catalog)
    return text


def _check(document: Mapping[str, object], text: str, request: Request, catalog: Catalog) -> None:
    """Prove that the text says what was meant, and that it is an experiment."""
    if tomli.loads(text) != document:
        raise TemplateError(f"{request.template.path}: cannot be written as a file of its own")
    try:
        read_document(document, str(request.file), catalog=catalog)
    except ExperimentError as error:
        raise ExperimentError(
            [attrs.evolve(problem, file=f"{request.template.name} (template)") for problem in error.problems]
        ) from error


def _changed(tree: Tree, changes: Mapping[tuple[str, ...], Change]) -> Tree:
    source = Source(file="fxkit init", folder=pathlib.Path.cwd())
    for path, change in changes.items():
        if change.value is None:
            tree = without(tree, path) if tree.at(path) else tree
        else:
            document = change.value
            for name in reversed(path):
                document = {name: document}
            tree = merge(tree, plant(document, source, {}))
    return _name_first(tree)


def _name_first(tree: Tree) -> Tree:
    """Put the name before what else [run] holds, where a template that extends another has it last."""
    run = dict(tree.value["run"].value)
    ordered = Tree({"name": run.pop("name"), **run}, tree.value["run"].mark)
    return Tree({**tree.value, "run": ordered}, tree.mark)


def _still(tree: Tree, path: tuple[str, ...], change: Change) -> bool:
    """Tell whether a value is as it was fitted, not set to another one."""
    found = tree.at(path)
    return found is not None and found.plain() == change.value


def _head(request: Request) -> list[str]:
    """Return the comment that the file begins with."""
    schema = [f"#:schema ./{SCHEMA}"] if (request.file.parent / SCHEMA).is_file() else []
    shown = request.file.name
    origin = f"Written by `fxkit init` from the template {request.template.name}{_for(request.material)}."
    steps = {
        f"fxkit check {shown}": "look for mistakes",
        f"fxkit run {shown}": "train, and write what it learned",
    }
    width = max(map(len, steps)) + 2
    lines = [
        f"{request.template.summary}.",
        origin,
        "",
        *(f"  {do:{width}}{why}" for do, why in steps.items()),
    ]
    folded = [part for line in lines for part in textwrap.wrap(line, _WIDTH) or [""]]
    return [*schema, *(f"# {line}".rstrip() for line in folded)]


def _for(material: Material | None) -> str:
    if material is None:
        return ""
    number = counted(len(material.recordings), noun_of(material))
    total = duration_text(sum(map(material.seconds, material.recordings)))
    return f" for {number}, {total}"
