"""The command `fxkit`: one table of commands, each imported when it is called and not before."""

from __future__ import annotations

import errno
import importlib
import os
import sys
from collections.abc import Sequence
from typing import NamedTuple

import click

TRACEBACK_FLAG = "--traceback"
TRACEBACK_VARIABLE = "FXKIT_TRACEBACK"
# Set by the shells that ask how a line may go on; see `fxkit completion`.
COMPLETE_VARIABLE = "_FXKIT_COMPLETE"


class CommandEntry(NamedTuple):
    """Say where a command is, and what `fxkit --help` says of it without importing it."""

    target: str
    summary: str
    example: str


COMMANDS: dict[str, CommandEntry] = {
    "init": CommandEntry(
        "fxkit.cli.init:command",
        "Write a new experiment file for a folder of recordings.",
        "fxkit init pedal --template overdrive-graybox --data my/pedal",
    ),
    "run": CommandEntry(
        "fxkit.cli.run:command",
        "Train a model from an experiment file.",
        "fxkit run overdrive.toml --set train.steps=500",
    ),
    "sweep": CommandEntry(
        "fxkit.cli.sweep:command",
        "Train an experiment with many values and say which are best.",
        "fxkit sweep overdrive.toml --grid train.optimizer.lr=1e-3,3e-3",
    ),
    "runs": CommandEntry(
        "fxkit.cli.runs:command",
        "List, filter, sort and compare runs.",
        "fxkit runs --sort esr",
    ),
    "plugins": CommandEntry(
        "fxkit.cli.plugins:command",
        "List what can be used, or show one plugin.",
        "fxkit plugins show processor parametric-eq",
    ),
    "check": CommandEntry(
        "fxkit.cli.check:command",
        "Check an experiment file without running it.",
        "fxkit check overdrive.toml",
    ),
    "schema": CommandEntry(
        "fxkit.cli.schema:command",
        "Write the JSON Schema of experiment files, for editors.",
        "fxkit schema > fxkit.schema.json",
    ),
    "config": CommandEntry(
        "fxkit.cli.config:command",
        "Show, compare and fill in experiment files.",
        "fxkit config show overdrive.toml --origins",
    ),
    "inspect": CommandEntry(
        "fxkit.cli.inspect:command",
        "Show what a model is made of: graph, parameters, costs.",
        "fxkit inspect runs/overdrive --picture overdrive.svg",
    ),
    "render": CommandEntry(
        "fxkit.cli.render:command",
        "Send a recording through a trained model.",
        "fxkit render runs/overdrive dry.wav wet.wav",
    ),
    "eval": CommandEntry(
        "fxkit.cli.evaluate:command",
        "Measure a trained model on its test recordings.",
        "fxkit eval runs/overdrive",
    ),
    "bench": CommandEntry(
        "fxkit.cli.bench:command",
        "Measure how fast a model streams.",
        "fxkit bench runs/overdrive --block 64",
    ),
    "import": CommandEntry(
        "fxkit.cli.import_:command",
        "Take over a model that another program trained.",
        "fxkit import amp.nam --out runs/amp",
    ),
    "migrate": CommandEntry(
        "fxkit.cli.migrate:command",
        "Bring older files, and those of other programs, over.",
        "fxkit migrate data.yaml model.yaml trainer.yaml",
    ),
    "export": CommandEntry(
        "fxkit.cli.export:command",
        "Write a trained model for use elsewhere.",
        "fxkit export runs/amp --to nam",
    ),
    "completion": CommandEntry(
        "fxkit.cli.completion:command",
        "Print the script by which a shell completes fxkit's lines.",
        "fxkit completion bash >> ~/.bashrc",
    ),
    "doctor": CommandEntry(
        "fxkit.cli.doctor:command",
        "Say what works on this machine, and how to mend the rest.",
        "fxkit doctor",
    ),
}


class LazyGroup(click.Group):
    """List commands from the table; import one when it is called."""

    def list_commands(self, ctx: click.Context) -> list[str]:
        """Return the names in the order of the table."""
        return list(COMMANDS)

    def get_command(self, ctx: click.Context, cmd_name: str) -> click.Command | None:
        """Import and return the command called `cmd_name`."""
        if cmd_name not in COMMANDS:
            return None
        module, _, attribute = COMMANDS[cmd_name].target.partition(":")
        command: click.Command = getattr(importlib.import_module(module), attribute)
        return command

    def resolve_command(
        self, ctx: click.Context, args: list[str]
    ) -> tuple[str | None, click.Command | None, list[str]]:
        """Return the command that `args` name; a misspelt one is an error with the nearest names."""
        if args and args[0] not in COMMANDS and not args[0].startswith("-"):
            from fxkit_registry import closest

            near = " or ".join(f'"{name}"' for name in closest(args[0], COMMANDS))
            ctx.fail(f'No such command "{args[0]}".' + (f" Did you mean {near}?" if near else ""))
        return super().resolve_command(ctx, args)

    def format_commands(self, ctx: click.Context, formatter: click.HelpFormatter) -> None:
        """Write the table of commands without importing any."""
        with formatter.section("Commands"):
            formatter.write_dl([(name, entry.summary) for name, entry in COMMANDS.items()])

    def format_epilog(self, ctx: click.Context, formatter: click.HelpFormatter) -> None:
        """Write one example per command."""
        with formatter.section("Examples"):
            for entry in COMMANDS.values():
                formatter.write(f"{'':{formatter.current_indent}}{entry.example}\n")
        formatter.write_paragraph()
        formatter.write_text("`fxkit COMMAND --help` tells more of each.")


def _version(ctx: click.Context, param: click.Parameter, wanted: bool) -> None:
    if wanted:
        from fxkit import __version__

        click.echo(f"fxkit {__version__}")
        ctx.exit()


@click.command(cls=LazyGroup, no_args_is_help=True, context_settings={"help_option_names": ["-h", "--help"]})
@click.option(
    "--version", is_flag=True, is_eager=True, expose_value=False, callback=_version, help="Show the version."
)
@click.option(
    TRACEBACK_FLAG,
    is_flag=True,
    expose_value=False,
    help=f"Show where in the code an error arose; also by {TRACEBACK_VARIABLE}=1.",
)
def group() -> None:
    """Learn models of sound with differentiable signal processing: one TOML file, one command."""


def main(argv: Sequence[str] | None = None) -> int:
    """Run the command line `argv` (the process's by default) and return the exit code.

    An error that fxkit raises on purpose prints as its own lines, without a traceback.
    """
    if COMPLETE_VARIABLE in os.environ:
        from fxkit.cli.completion import respond

        return respond(group, os.environ[COMPLETE_VARIABLE])
    args = list(sys.argv[1:] if argv is None else argv)
    traceback = TRACEBACK_FLAG in args or os.environ.get(TRACEBACK_VARIABLE, "0") not in ("", "0")
    # Accepted after the command too, where one appends it to a line that has just failed.
    args = [arg for arg in args if arg != TRACEBACK_FLAG]
    try:
        return _invoked(args)
    except click.ClickException as error:
        error.show()
        return error.exit_code
    except (KeyboardInterrupt, EOFError, click.Abort):
        click.echo("interrupted", err=True)
        return 130
    except OSError as error:
        if error.errno != errno.EPIPE:
            raise
        return _reader_gone()
    except Exception as error:
        from fxkit.errors import FxkitError

        if not isinstance(error, FxkitError):
            raise
        click.echo("".join(_trace(error)) if traceback else str(error), err=True)
        return error.exit_code


def _invoked(args: list[str]) -> int:
    try:
        with group.make_context("fxkit", args) as ctx:
            group.invoke(ctx)
        sys.stdout.flush()
    except click.exceptions.Exit as end:
        sys.stdout.flush()
        return end.exit_code
    return 0


def _trace(error: Exception) -> list[str]:
    import traceback

    return traceback.format_exception(error)


def _reader_gone() -> int:
    """Leave quietly when what reads stdout has gone (`fxkit plugins | head`)."""
    # The interpreter flushes stdout once more at exit, which would fail again.
    os.dup2(os.open(os.devnull, os.O_WRONLY), sys.stdout.fileno())
    return 128 + 13
