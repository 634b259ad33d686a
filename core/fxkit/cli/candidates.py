"""Offer what can stand at a place of the command line: experiments, runs, plugins, paths of --set."""

from __future__ import annotations

from collections.abc import Callable, Iterable, Iterator, Mapping
from pathlib import Path
from typing import Any

import click
from click.shell_completion import CompletionItem

Items = list[CompletionItem]
Source = Callable[[click.Context, str], Iterable[CompletionItem]]

# The type of items after which one goes on typing, so that no space follows them.
OPEN = "open"
_RUN_FILES = ("lock.toml", "resolved.toml")
_PATHS = "PATH="


def source_of(param: click.Parameter) -> Source | None:
    """Return what offers the values of a parameter; None where click's own way is right.

    A parameter is known by its metavar, as the help shows it, or by its name.
    """
    metavar = str(getattr(param, "metavar", None) or param.name or "")
    if metavar.startswith(_PATHS):
        return settings
    return _BY_NAME.get(str(param.name)) or _BY_METAVAR.get(metavar.strip("[]."))


def experiments(ctx: click.Context, incomplete: str) -> Iterator[CompletionItem]:
    """Offer the experiments that ship and the TOML files of the folder that was typed."""
    from fxkit.experiment.shipped import shipped_experiments

    yield from (
        CompletionItem(name, help="ships with fxkit") for name in _starting(shipped_experiments(), incomplete)
    )
    folder, typed = _typed(incomplete)
    for path in _entries(folder):
        if path.name.startswith(typed) and path.suffix == ".toml" and path.is_file():
            yield CompletionItem(incomplete[: len(incomplete) - len(typed)] + path.name)
    yield from _folders(incomplete)


def runs(ctx: click.Context, incomplete: str) -> Iterator[CompletionItem]:
    """Offer the run folders in the folder that was typed, or in runs/."""
    folder, typed = _typed(incomplete)
    places = [(folder, incomplete[: len(incomplete) - len(typed)], typed)]
    if "/" not in incomplete:
        places.append((Path("runs"), "runs/", incomplete.removeprefix("runs")))
    for place, written, start in places:
        for path in _entries(place):
            if path.name.startswith(start) and _is_run(path):
                yield CompletionItem(f"{written}{path.name}")
    yield from _folders(incomplete, apart=_is_run)


def experiments_and_runs(ctx: click.Context, incomplete: str) -> Iterator[CompletionItem]:
    """Offer both."""
    yield from experiments(ctx, incomplete)
    yield from (item for item in runs(ctx, incomplete) if item.type == "plain")


def shipped(ctx: click.Context, incomplete: str) -> Iterator[CompletionItem]:
    """Offer the experiments that ship."""
    from fxkit.experiment.shipped import shipped_experiments

    return (CompletionItem(name) for name in _starting(shipped_experiments(), incomplete))


def settings(ctx: click.Context, incomplete: str) -> Iterator[CompletionItem]:
    """Offer the paths that can be set in the experiment that was named, or the values of one."""
    from fxkit.catalog import Catalog
    from fxkit.cli.setting_paths import Settings

    path, equals, value = incomplete.partition("=")
    told = Settings(Catalog.installed(), _document(ctx))
    found = list(told.below(path))
    if equals:
        *before, last = value.split(",")
        written = ",".join([*before, ""]) if before else ""
        values = next((one.values for one in found if one.path == path), ())
        yield from (CompletionItem(f"{path}={written}{one}") for one in _starting(values, last))
    elif "." in path:
        yield from _levels(found, path)
    else:
        yield from (CompletionItem(f"{name}.", type=OPEN) for name in _starting(told.tables(), path))


def paths(ctx: click.Context, incomplete: str) -> Iterator[CompletionItem]:
    """Offer the same paths alone."""
    for item in settings(ctx, incomplete):
        yield CompletionItem(item.value.rstrip("="), "plain" if item.value.endswith("=") else item.type)


def _levels(found: Iterable[Any], path: str) -> Iterator[CompletionItem]:
    """Offer paths to the next dot, so that a model of many nodes is no wall of them."""
    depth = path.count(".") + 1
    offered: dict[str, str] = {}
    for one in found:
        if one.path.startswith(path):
            parts = one.path.split(".")
            if len(parts) > depth:
                offered.setdefault(".".join(parts[:depth]) + ".", "")
            else:
                offered[f"{one.path}="] = one.help
    yield from (CompletionItem(name, type=OPEN, help=text or None) for name, text in offered.items())


def _document(ctx: click.Context) -> Mapping[str, Any]:
    """Return the experiment that the line names before, with what it extends; {} when there is none."""
    from fxkit.errors import FxkitError
    from fxkit.experiment.composition import compose
    from fxkit.experiment.reader import locate
    from fxkit.experiment.report import Report

    # click stops reading at an option that still lacks its value, and leaves the arguments where they are.
    named = next(
        (ctx.params[name] for name in _DOCUMENTS if ctx.params.get(name)), next(iter(ctx.args), None)
    )
    if named is None:
        return {}
    try:
        file = Path(named, "resolved.toml") if Path(named).is_dir() else locate(named)
        tree = compose(file, Report())
    except (FxkitError, OSError):
        return {}
    found: Mapping[str, Any] = tree.plain() if tree else {}
    return found


def exporters(ctx: click.Context, incomplete: str) -> Iterator[CompletionItem]:
    """Offer the plugins that write models."""
    return _plugins("exporters", incomplete)


def plugin_words(ctx: click.Context, incomplete: str) -> Iterator[CompletionItem]:
    """Offer the words of `fxkit plugins`: a kind; show, a kind and a name; check and a name."""
    from fxkit.kinds import KINDS

    words = [str(word) for word in ctx.params.get("words") or ()]
    if not words:
        listed = {
            **{kind.name: kind.summary for kind in KINDS},
            "show": "describe one",
            "check": "prove some",
        }
        yield from (CompletionItem(name, help=listed[name]) for name in _starting(listed, incomplete))
    elif words == ["show"]:
        singular = {kind.singular: kind.summary for kind in KINDS}
        yield from (CompletionItem(name, help=singular[name]) for name in _starting(singular, incomplete))
    elif words[0] == "show" and len(words) == 2:
        yield from _plugins(words[1], incomplete)
    elif words[0] == "check":
        yield from _plugins("", incomplete)


def _plugins(kind: str, incomplete: str) -> Iterator[CompletionItem]:
    from fxkit.catalog import Catalog
    from fxkit.kinds import kind_named

    known = kind_named(kind)
    wanted = [one for one in Catalog.installed().entries if known is None or one.kind == known.name]
    names = {one.name if one.status == "ok" else one.qualified: one.origin for one in wanted}
    yield from (CompletionItem(name, help=names[name]) for name in _starting(names, incomplete))


def _starting(names: Iterable[str], start: str) -> list[str]:
    return [name for name in names if name.startswith(start)]


def _typed(incomplete: str) -> tuple[Path, str]:
    """Return the folder that was typed, and the beginning of a name in it."""
    folder, slash, name = incomplete.rpartition("/")
    return Path(folder + slash or ".").expanduser(), name


def _entries(folder: Path) -> list[Path]:
    try:
        return sorted(path for path in folder.iterdir() if not path.name.startswith("."))
    except OSError:
        return []


def _folders(incomplete: str, apart: Callable[[Path], bool] = lambda path: False) -> Iterator[CompletionItem]:
    folder, typed = _typed(incomplete)
    for path in _entries(folder):
        if path.name.startswith(typed) and path.is_dir() and not apart(path):
            yield CompletionItem(f"{incomplete[: len(incomplete) - len(typed)]}{path.name}/", type=OPEN)


def _is_run(folder: Path) -> bool:
    return any((folder / name).is_file() for name in _RUN_FILES)


# Parameters that name the experiment whose paths --set changes.
_DOCUMENTS = ("experiment", "subject", "template", "run", "data")
_BY_NAME: Mapping[str, Source] = {
    "template": shipped,
    "words": plugin_words,
    "one": experiments_and_runs,
    "other": experiments_and_runs,
}
_BY_METAVAR: Mapping[str, Source] = {
    "experiment": experiments,
    "EXPERIMENT": experiments,
    "run": runs,
    "RUN": runs,
    "EXPERIMENT|RUN": experiments_and_runs,
    "EXPORTER": exporters,
    "PATH": paths,
    "A B": runs,
}
