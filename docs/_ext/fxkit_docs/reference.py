"""Write what the kernel itself declares: tables of the experiment file, hooks, commands, run folder."""

from __future__ import annotations

import inspect
import re
import typing
from collections.abc import Iterator

import attrs
import click

from fxkit import errors
from fxkit.cli.main import COMMANDS, group
from fxkit.engine.interrupts import Interrupted
from fxkit.errors import FxkitError
from fxkit.experiment.tables import ARRAYS, PLACES, TABLES, Place
from fxkit.hooks import Hooks, hook_names
from fxkit.kinds import kind_named
from fxkit.runs.folder import RunFolder
from fxkit.schema.document import HEAD
from fxkit.spec import describe
from fxkit_docs.markdown import block, code, table
from fxkit_docs.options import spec_table


def kernel_tables() -> str:
    """Show every table of an experiment file with the keys that the kernel reads."""
    head = [(code(name), str(told["description"])) for name, told in HEAD.items()]
    outside = f"### Outside of the tables\n\n{table(('Key', 'What it does'), head)}"
    own = [f"### [{name}]\n\n{describe(keys).doc}\n\n{spec_table(keys)}" for name, keys in TABLES.items()]
    return "\n\n".join([outside, *own, *map(_array, ARRAYS), *map(_place, PLACES)])


def _array(name: str) -> str:
    keys = ARRAYS[name]
    inner = (typing.get_args(option.type)[:1] or (None,) for option in describe(keys).options)
    tables = [keys, *(one for (one,) in inner if isinstance(one, type) and attrs.has(one))]
    return f"### [[{name}]]\n\n" + "\n\n".join(f"{describe(one).doc}\n\n{spec_table(one)}" for one in tables)


def _place(place: Place) -> str:
    kind = kind_named(place.kind)
    assert kind is not None
    head = f"[{place.path}.NAME]" if place.named else f"[{place.path}]"
    need = "required" if place.required else "optional"
    intro = (
        f"Names a {kind.singular} ({kind.summary}); {need}. Its `type` is one of the "
        f"[{kind.name}](#kind-{kind.name}), whose options stand in the same table."
        if _has_pages(kind.name)
        else f"Names a {kind.singular} ({kind.summary}); {need}. None comes with fxkit."
    )
    keys = spec_table(place.keys) if describe(place.keys).options else ""
    inner = "".join(f"\n\n{text}" for text in _inner_tables(place))
    return f"### {head}\n\n{intro}\n\n{keys}{inner}".rstrip()


def _inner_tables(place: Place) -> Iterator[str]:
    """Show the tables by name that stand inside a place's own keys."""
    for option in describe(place.keys).options:
        spec = typing.get_args(option.type)[-1:] or (None,)
        if isinstance(spec[0], type) and attrs.has(spec[0]):
            head = f"[{place.path}.NAME.{option.name}.{option.name.rstrip('s').upper()}]"
            yield f"### {head}\n\n{describe(spec[0]).doc}\n\n{spec_table(spec[0])}"


def _has_pages(kind: str) -> bool:
    from fxkit.catalog import Catalog

    return any(entry.kind == kind for entry in Catalog.installed(in_tree_only=True).entries)


def hook_reference() -> str:
    """Show every hook of a run in its order: signature and meaning."""
    return "\n\n".join(_hook(name) for name in hook_names())


def _hook(name: str) -> str:
    method = getattr(Hooks, name)
    signature = inspect.signature(method)
    taken = [f"{param.name}: {param.annotation}" for param in signature.parameters.values()][1:]
    returns = signature.return_annotation
    head = f"{name}({', '.join(taken)}) -> {returns}"
    return f"`{name}`\n: {inspect.cleandoc(method.__doc__ or '')}\n\n{_indented(block(head, 'python'))}"


def _indented(text: str) -> str:
    return "\n".join(f"  {line}" for line in text.splitlines())


def run_folder() -> str:
    """List what stands in a run folder."""
    from pathlib import Path

    folder = RunFolder(Path("RUN"))
    rows = []
    for name, member in vars(RunFolder).items():
        if isinstance(member, property):
            path = getattr(folder, name).relative_to("RUN").as_posix()
            what = inspect.cleandoc(member.__doc__ or "").removeprefix("Return ").rstrip(".")
            rows.append((code(path), what))
    return table(("Path", "What it is"), rows)


def command_reference() -> str:
    """Show every command as its --help does, with a section for each."""
    sections = [_command(name) for name in COMMANDS]
    own = block(_help(group, "fxkit"))
    return "\n\n".join(["# Commands", _INTRO, own, *sections, "## Exit codes", exit_codes()]) + "\n"


_INTRO = (
    "The text below is what `--help` prints. `python -m fxkit` is the same command. Results go to stdout,"
    " progress and errors to stderr."
)


def _command(name: str) -> str:
    command = group.get_command(click.Context(group, info_name="fxkit"), name)
    assert command is not None
    own = f"(command-{name})=\n## fxkit {name}\n\n{block(_help(command, f'fxkit {name}'))}"
    inner = command.commands.items() if isinstance(command, click.Group) else ()
    parts = [f"### fxkit {name} {word}\n\n{block(_help(one, f'fxkit {name} {word}'))}" for word, one in inner]
    return "\n\n".join([own, *parts])


def exit_codes() -> str:
    """List what each exit code means, from the errors that have it."""
    rows = [
        ("0", "", "Everything went well."),
        (
            "1",
            code("FxkitError"),
            "Report an error that has no code of its own, or a row of the doctor that fails.",
        ),
        ("2", "", "Report a wrong command line."),
        *((str(error.exit_code), code(error.__name__), _first_line(error)) for error in _errors()),
    ]
    return table(("Code", "Error", "Meaning"), rows)


def _errors() -> list[type[FxkitError]]:
    named = [error for error in vars(errors).values() if inspect.isclass(error)]
    own = [
        error for error in (*named, Interrupted) if issubclass(error, FxkitError) and error is not FxkitError
    ]
    return sorted(own, key=lambda error: error.exit_code)


def _first_line(error: type) -> str:
    return inspect.cleandoc(error.__doc__ or "").split("\n")[0]


def _help(command: click.Command, name: str) -> str:
    settings = {"help_option_names": ["-h", "--help"]}
    with click.Context(command, info_name=name, terminal_width=86, max_content_width=86, **settings) as ctx:
        return re.sub(r"\n{3,}", "\n\n", click.unstyle(command.get_help(ctx)))
