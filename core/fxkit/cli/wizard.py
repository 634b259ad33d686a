"""Complete what `fxkit init` was told: ask on a terminal, name what is missing elsewhere."""

from __future__ import annotations

import re
import sys
import textwrap
from collections import Counter
from collections.abc import Callable, Iterable, Sequence
from pathlib import Path
from typing import TYPE_CHECKING, Any

import attrs
import click

from fxkit.cli.output import page_width, table
from fxkit.errors import DataError, FxkitError
from fxkit.templates.arranging import arrange
from fxkit.templates.material import Material, look, rows
from fxkit.templates.template import Template, TemplateError, template_named, templates

if TYPE_CHECKING:
    from fxkit.catalog import Catalog
    from fxkit.survey import Survey

_TELL_EVERY = 200
_WIDE = 100
_ASIDE = re.compile(r" \([^()]*\)")


@attrs.frozen(kw_only=True)
class Answers:
    """Hold what is known so far; `asking` tells whether there is somebody to ask."""

    name: str | None
    template: str | None
    data: Path | None
    arrange: Path | None
    settings: tuple[str, ...]
    asking: bool


def completed(given: Answers, catalog: Catalog) -> tuple[Answers, Material | None]:
    """Return the answers with name and template, and what was found in the folder of recordings.

    Raises `TemplateError` with the options that are missing where there is nobody to ask, and
    `DataError` for a folder that does not fit.
    """
    known = templates()
    if given.template is not None:
        template_named(given.template, known)
    if not given.asking:
        _refuse_missing(given, known, catalog)
    return _Wizard(catalog, known, given).complete()


def _refuse_missing(given: Answers, known: Iterable[Template], catalog: Catalog) -> None:
    missing = [
        option for option, value in (("NAME", given.name), ("--template", given.template)) if value is None
    ]
    if given.template is not None and _wants_folder(given, template_named(given.template, known), catalog):
        missing.append("--data")
    if missing:
        lacking = ", ".join(missing)
        raise TemplateError(
            f"missing {lacking}, and no terminal to ask on; add what is missing."
            " `fxkit init --list` shows the templates"
        )


def _wants_folder(given: Answers, template: Template, catalog: Catalog) -> bool:
    told = any(text.replace(" ", "").startswith("data.root=") for text in given.settings)
    return given.data is None and not told and template.survey(catalog) is not None


@attrs.frozen
class _Kind:
    """Hold one kind of material: what to call it, and the templates for it."""

    title: str
    templates: tuple[Template, ...]


@attrs.define
class _Wizard:
    catalog: Catalog
    known: Sequence[Template]
    answers: Answers

    def complete(self) -> tuple[Answers, Material | None]:
        if self.answers.template is None:
            self.choose()
        assert self.answers.template is not None
        template = template_named(self.answers.template, self.known)
        material = self.material(template)
        if self.answers.name is None:
            name = _ask("Name of the experiment", default=_name(self.answers.data, template))
            self.answers = attrs.evolve(self.answers, name=name)
        return self.answers, material

    def choose(self) -> None:
        """Ask what there is, then for the device, then for the template among those that fit."""
        kinds = self.kinds()
        usual = max(range(len(kinds)), key=lambda index: (self.fit(kinds[index]), -index))
        kind = kinds[_choose("What do you have?", [kind.title for kind in kinds], usual)]
        devices = list(dict.fromkeys(one.device for one in kind.templates))
        device = devices[_choose("What is it?", devices)]
        fitting = [one for one in kind.templates if one.device == device]
        usual = next((index for index, one in enumerate(fitting) if one.first_choice), 0)
        picked = fitting[_choose("Which template?", [_line(one) for one in fitting], usual)]
        self.answers = attrs.evolve(self.answers, template=picked.name)

    def kinds(self) -> list[_Kind]:
        """Group the templates by what they learn from, what most learn from first."""
        groups: dict[str, list[Template]] = {}
        for one in self.known:
            groups.setdefault(self.title(one), []).append(one)
        usual = Counter(one.dataset for one in self.known)
        kinds = [_Kind(title, tuple(members)) for title, members in groups.items()]
        return sorted(kinds, key=lambda kind: (-usual[kind.templates[0].dataset], -len(kind.templates)))

    def fit(self, kind: _Kind) -> int:
        """Rate how much of the folder that was named a kind's templates would use; 0 when it does not fit."""
        template = kind.templates[0]
        survey = template.survey(self.catalog)
        if survey is None or self.answers.data is None or not self.answers.data.is_dir():
            return 0
        found: Survey = survey(self.answers.data)
        if not found.recordings or bool(found.knobs) < template.uses_knobs(self.catalog):
            return 0
        return len(found.recordings[0].files) + template.uses_knobs(self.catalog)

    def title(self, template: Template) -> str:
        from fxkit.spec import describe

        spec = self.catalog.spec(self.catalog.find("datasets", template.dataset))
        # "Pairs from a folder (WAV, FLAC), checked before training" is too much for a question.
        summary = _ASIDE.sub("", describe(spec).summary).split(", ")[0].split("; ")[0].rstrip(".")
        return (
            f"{summary}, at several settings of its knobs" if template.uses_knobs(self.catalog) else summary
        )

    def material(self, template: Template) -> Material | None:
        survey = template.survey(self.catalog)
        if survey is None and self.answers.data is not None:
            raise TemplateError(
                f"{template.name} needs no recordings; leave out --data, or choose another template"
            )
        if survey is None or not (self.answers.data or _wants_folder(self.answers, template, self.catalog)):
            return None
        if self.answers.data is not None and not self.answers.asking:
            return self.looked(survey, self.answers.data, template)
        return self.asked(survey, template)

    def asked(self, survey: Callable[[Path], Survey], template: Template) -> Material:
        """Ask for the folder until one fits."""
        folder = self.answers.data
        while True:
            if folder is None:
                folder = Path(_ask("Folder of the recordings")).expanduser()
            try:
                material = self.looked(survey, folder, template)
            except FxkitError as error:
                click.echo(str(error), err=True)
                folder = None
            else:
                self.answers = attrs.evolve(self.answers, data=folder)
                return material

    def looked(self, survey: Callable[[Path], Survey], folder: Path, template: Template) -> Material:
        """Look at a folder, and show what is in it; raises `DataError` when it does not fit."""
        if not folder.is_dir():
            what = "is a file, not a folder" if folder.exists() else "no such folder"
            raise DataError([f"{folder}: {what}; name the folder that holds the recordings"])
        found = survey(folder)
        if found.arrangement is not None and not found.recordings:
            folder = self.arranged(found, folder)
            found = survey(folder)
        if found.problems:
            raise DataError(found.problems)
        material = look(folder, found, _progress(sum(len(one.files) for one in found.recordings)))
        if template.uses_knobs(self.catalog) and not found.knobs:
            raise DataError([_no_knobs(template, folder)])
        click.echo(table(("FOUND", str(folder)), rows(material), page_width()), err=True)
        return material

    def arranged(self, found: Survey, folder: Path) -> Path:
        """Lay links out where the user wants them; raises `DataError` where nobody said so."""
        arrangement, target = found.arrangement, self.answers.arrange
        assert arrangement is not None
        if target is None and self.answers.asking:
            click.echo(
                f"{folder} holds {arrangement.what}; links to them in a new folder would fit.", err=True
            )
            target = Path(_ask("New folder for the links", default=f"{folder.resolve().name}-pairs"))
        if target is None:
            raise DataError(
                [f"{folder}: holds {arrangement.what}; add --arrange NEW_FOLDER, which makes links that fit"]
            )
        arrange(arrangement, target, keep_out=folder)
        return target


def _no_knobs(template: Template, folder: Path) -> str:
    fix = 'add knobs.csv with a line like "file,drive" and one line for each file'
    return f"{folder}: holds no settings of knobs, which {template.name} learns from; {fix}"


def _name(data: Path | None, template: Template) -> str:
    return (data.resolve().name if data else "") or template.name


def _line(template: Template) -> str:
    cost = f" ({template.cost})" if template.cost else ""
    return f"{template.name}: {template.summary}{cost}"


def _choose(question: str, lines: Sequence[str], default: int = 0) -> int:
    """Ask for one of several lines by its number; return its index. Of one line, nothing is asked."""
    if len(lines) == 1:
        return 0
    click.echo(f"\n{question}", err=True)
    for number, line in enumerate(lines, 1):
        folded = textwrap.wrap(line, (page_width() or _WIDE) - 6, subsequent_indent=" " * 6)
        click.echo(f"  {number:2}  " + "\n".join(folded), err=True)
    limits: Any = click.IntRange(1, len(lines))
    return int(click.prompt("Number", default=default + 1, type=limits, err=True)) - 1


def _ask(question: str, default: str | None = None) -> str:
    return str(click.prompt(question, default=default, err=True)).strip()


def _progress(total: int) -> Callable[[int], object]:
    """Return what counts headers on a terminal when there are many, and wipes the count in the end."""
    if total < _TELL_EVERY or not sys.stderr.isatty():
        return lambda number: None

    def tell(number: int) -> None:
        if number == total:
            click.echo("\r\x1b[K", nl=False, err=True)
        elif number % _TELL_EVERY == 0:
            click.echo(f"\rreading headers: {number} of {total}\x1b[K", nl=False, err=True)

    return tell
