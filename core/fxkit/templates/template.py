"""Describe the experiments that new ones can start from: every one that ships is a template."""

from __future__ import annotations

import functools
import pathlib
import re
from collections.abc import Iterable, Mapping
from typing import Any

import attrs

from fxkit.catalog import Catalog
from fxkit.context import BuildContext
from fxkit.errors import ExperimentError, FxkitError
from fxkit.experiment.composition import compose
from fxkit.experiment.report import Report
from fxkit.experiment.shipped import shipped_experiments
from fxkit.experiment.tree import Tree
from fxkit.spec import describe
from fxkit_registry import closest

_FACT = re.compile(r"(For|Cost): (.+)")
_FIRST_CHOICE = "; a good first choice"
_ASIDE = re.compile(r" \([^()]*\)")


class TemplateError(FxkitError):
    """Report that a new experiment cannot be written, and what to do about it."""

    exit_code = 2


@attrs.frozen(kw_only=True)
class Template:
    """Hold what is told of a template: its file, and what its leading comment says.

    `device` is what it models and `cost` what a run of it takes, from the lines "For:" and "Cost:";
    `first_choice` tells whether the former ends in "a good first choice". `dataset` is the type of its
    [data].
    """

    name: str
    path: pathlib.Path
    summary: str
    device: str
    cost: str
    dataset: str
    first_choice: bool = False

    @functools.cached_property
    def tree(self) -> Tree:
        """Return the whole document, its parents merged in."""
        return _tree(self.path)

    def survey(self, catalog: Catalog) -> Any:
        """Return the dataset's function from a folder to a `Survey`; None for one that needs no folder."""
        spec = catalog.spec(catalog.find("datasets", self.dataset))
        return getattr(spec, "survey", None)

    def uses_knobs(self, catalog: Catalog) -> bool:
        """Tell whether a controller of it reads the settings of the recorded device."""
        ctx = BuildContext(sample_rate=48000)
        specs = (catalog.spec(catalog.find("controllers", name)) for name in self._controllers())
        return any("knobs" in spec().traits(ctx).uses for spec in specs if not _needs_options(spec))

    def _controllers(self) -> set[str]:
        """Return the type of every controller."""
        leaves = ((path, leaf.value) for path, leaf in self.tree.leaves())
        places = (("controllers", 3, 0), ("nodes", 4, 2))
        return {
            str(value)
            for path, value in leaves
            for place, length, at in places
            if path[0] == place
            and len(path) == length
            and path[-1] == "type"
            and (not at or path[at] == "controller")
        }


def templates(files: Mapping[str, pathlib.Path] | None = None) -> tuple[Template, ...]:
    """Return the templates in `files`, all that ship by default, sorted by what they model and name."""
    found = shipped_experiments() if files is None else files
    return tuple(sorted((_read(name, path) for name, path in found.items()), key=_order))


def template_named(name: str, known: Iterable[Template]) -> Template:
    """Return the template called `name`; raises `TemplateError` with the nearest ones."""
    by_name = {one.name: one for one in known}
    if name in by_name:
        return by_name[name]
    near = " or ".join(f'"{one}"' for one in closest(name, by_name))
    hint = f"; did you mean {near}?" if near else ""
    raise TemplateError(f'no template "{name}"{hint} `fxkit init --list` shows all')


def _read(name: str, path: pathlib.Path) -> Template:
    lines = leading_comment(path.read_text(encoding="utf-8"))
    facts = {match[1]: match[2].rstrip(".") for line in lines if (match := _FACT.fullmatch(line))}
    tree = _tree(path)
    data = tree.at(("data", "type"))
    return Template(
        name=name,
        path=path,
        summary=_summary(lines),
        device=facts.get("For", "").removesuffix(_FIRST_CHOICE),
        first_choice=facts.get("For", "").endswith(_FIRST_CHOICE),
        cost=facts.get("Cost", ""),
        dataset=str(data.value) if data else "",
    )


def _needs_options(spec: type) -> bool:
    return any(option.required for option in describe(spec).options)


def _order(template: Template) -> tuple[str, str, str]:
    return (template.dataset, template.device, template.name)


def _tree(path: pathlib.Path) -> Tree:
    report = Report()
    tree = compose(path, report)
    if tree is None:
        raise ExperimentError(report.problems)
    return tree


def leading_comment(text: str) -> list[str]:
    """Return the lines of the comment that a file begins with, without their signs."""
    found: list[str] = []
    for line in text.splitlines():
        if line.startswith("#:"):
            continue
        if not line.startswith("#"):
            break
        found.append(line.removeprefix("#").removeprefix(" ").rstrip())
    return found


def _summary(lines: Iterable[str]) -> str:
    """Return the first sentence of a leading comment, without what stands in brackets."""
    found: list[str] = []
    for line in lines:
        if not line or line.startswith(" ") or _FACT.fullmatch(line):
            break
        found.append(line)
    text = _ASIDE.sub("", " ".join(found)).split(": fxkit ")[0]
    return re.split(r"\. (?=[A-Z])", text)[0].rstrip(":. ")
